import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/contract.ts';

/** Most ids in one line of the log. */
const MAX_IDS = 20;

/** Notes what requests change, so that each leaves one line in the log. */
export interface Changes {
  /** `action` of `ids` of a resource: what the request is about to do, or has done. */
  note(request: FastifyRequest, action: string, resource: string, ids?: readonly string[]): void;
  /** The error that the request is answered with. */
  failed(request: FastifyRequest, error: string): void;
}

interface Change {
  readonly action: string;
  readonly resource: string;
  readonly ids: readonly string[];
  readonly error?: string;
}

/**
 * Writes one line for every request that changes something, or would have: who, what, id, status, milliseconds and the request id that
 * errors and `x-openstack-request-id` name.
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
