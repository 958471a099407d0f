import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/contract.ts';

/** Maximum number of ids and of names in one log line. */
const MAX_NAMED = 20;

/** Records what requests change, so that each is logged in one line. */
export interface Changes {
  /** Records the action that the request is about to perform, or has performed, on resources with `ids` and, if known, `names`. */
  note(
    request: FastifyRequest,
    action: string,
    resource: string,
    ids?: readonly string[],
    names?: readonly string[],
  ): void;
  /** Records the error that the request is answered with. */
  failed(request: FastifyRequest, error: string): void;
}

interface Change {
  readonly action: string;
  readonly resource: string;
  readonly ids: readonly string[];
  readonly names: readonly string[];
}

/** Returns `values` as a field of a log line: as they are called if it is one, with a plural's `s` if they are several. */
const oneOrMore = (field: string, values: readonly string[]): Readonly<Record<string, unknown>> =>
  values.length === 0
    ? {}
    : values.length === 1
      ? { [field]: values[0] }
      : { [`${field}s`]: values.slice(0, MAX_NAMED) };

/**
 * Logs one line for every request that changes something, or tried to: caller, action, id, name, status, milliseconds and the
 * request id (`x-openstack-request-id`).
 */
export function logChanges(app: FastifyInstance, callerOf: (request: FastifyRequest) => Caller | undefined): Changes {
  const changes = new WeakMap<FastifyRequest, Change>();
  const errors = new WeakMap<FastifyRequest, string>();
  app.addHook('onResponse', async (request, reply) => {
    if (request.method === 'GET' || request.method === 'OPTIONS' || request.method === 'HEAD') return;
    const change = changes.get(request);
    const caller = callerOf(request);
    const error = errors.get(request);
    const { ids = [], names = [], resource, action } = change ?? {};
    const line = {
      request_id: request.id,
      ...(caller ? { project_id: caller.projectId } : {}),
      ...(caller?.userId ? { user_id: caller.userId } : {}),
      ...oneOrMore('id', ids),
      ...oneOrMore(
        'name',
        names.filter((name) => name !== ''),
      ),
      ...(ids.length > 1 ? { count: ids.length } : {}),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(error === undefined ? {} : { error }),
    };
    const what = action === undefined ? `${request.method} ${request.url.slice(0, 200)}` : `${action} ${resource}`;
    const refused = reply.statusCode >= 400;
    app.log.info(line, refused ? `${what} refused` : what);
  });
  return {
    note: (request, action, resource, ids = [], names = []) =>
      void changes.set(request, { action, resource, ids, names }),
    failed: (request, error) => void errors.set(request, error),
  };
}
