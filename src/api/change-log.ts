import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/contract.ts';

/** Maximum number of ids in one log line. */
const MAX_IDS = 20;

/** Records what requests change, so that each is logged in one line. */
export interface Changes {
  /** Records the action that the request is about to perform, or has performed, on `ids` of a resource. */
  note(request: FastifyRequest, action: string, resource: string, ids?: readonly string[]): void;
  /** Records the error that the request is answered with. */
  failed(request: FastifyRequest, error: string): void;
}

interface Change {
  readonly action: string;
  readonly resource: string;
  readonly ids: readonly string[];
  readonly error?: string;
}

/**
 * Logs one line for every request that changes something, or tried to: caller, action, id, status, milliseconds and the request
 * id (`x-openstack-request-id`).
 */
export function logChanges(app: FastifyInstance, callerOf: (request: FastifyRequest) => Caller | undefined): Changes {
  const changes = new WeakMap<FastifyRequest, Change>();
  app.addHook('onResponse', async (request, reply) => {
    if (request.method === 'GET' || request.method === 'OPTIONS' || request.method === 'HEAD') return;
    const change = changes.get(request);
    const caller = callerOf(request);
    const { ids = [], resource, action, error } = change ?? {};
    const line = {
      request_id: request.id,
      ...(caller ? { project_id: caller.projectId } : {}),
      ...(caller?.userId ? { user_id: caller.userId } : {}),
      ...(ids.length === 1 ? { id: ids[0] } : ids.length > 1 ? { ids: ids.slice(0, MAX_IDS), count: ids.length } : {}),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(error === undefined ? {} : { error }),
    };
    const what = action === undefined ? `${request.method} ${request.url.slice(0, 200)}` : `${action} ${resource}`;
    const refused = reply.statusCode >= 400;
    app.log.info(line, refused ? `${what} refused` : what);
  });
  return {
    note: (request, action, resource, ids = []) => void changes.set(request, { action, resource, ids }),
    failed(request, error) {
      const change = changes.get(request);
      if (change) changes.set(request, { ...change, error });
    },
  };
}
