import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/contract.ts';

/** Maximum number of ids and of names in one log line. */
const MAX_NAMED = 20;
/** Longest text of a request in a log line. */
const MAX_TEXT = 200;

/** The action that a request performs. */
interface Change {
  readonly action: string;
  readonly resource: string;
  readonly ids?: readonly string[];
  /** Names of the resources, if known; empty ones are left out. */
  readonly names?: readonly string[];
  /** Further parameters of the path: `{ tag: 'red' }`. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** Records what requests change, so that each is logged in one line. */
export interface Changes {
  /** Records what the request is about to do, or has done. */
  note(request: FastifyRequest, change: Change): void;
  /** Records the author of a request that has no caller. */
  by(request: FastifyRequest, author: Author): void;
  /** Records the error that the request is answered with. */
  failed(request: FastifyRequest, error: string): void;
}

type Author = Pick<Caller, 'userId' | 'projectId'>;
type Line = Record<string, unknown>;

/** Adds values to a log line: as `field` if it is one, with a plural's `s` if they are several. */
function addNamed(line: Line, field: string, values: readonly string[]): void {
  if (values.length === 1) line[field] = values[0];
  else if (values.length > 1) line[`${field}s`] = values.slice(0, MAX_NAMED);
}

/**
 * Logs one line for every request that changes something, or tried to: caller, action, id, name, status, milliseconds and the
 * request id (`x-openstack-request-id`).
 */
export function logChanges(app: FastifyInstance, callerOf: (request: FastifyRequest) => Caller | undefined): Changes {
  const changes = new WeakMap<FastifyRequest, Change>();
  const authors = new WeakMap<FastifyRequest, Author>();
  const errors = new WeakMap<FastifyRequest, string>();
  app.addHook('onResponse', (request, reply, done) => {
    if (request.method === 'GET' || request.method === 'OPTIONS' || request.method === 'HEAD') return done();
    const change = changes.get(request);
    const caller = callerOf(request) ?? authors.get(request);
    // Written field by field: this runs for every port that is created.
    const line: Line = { request_id: request.id };
    if (caller) line.project_id = caller.projectId;
    if (caller?.userId) line.user_id = caller.userId;
    if (change) {
      const { ids = [], names = [], parameters = {} } = change;
      for (const name of Object.keys(parameters)) line[name] = parameters[name]?.slice(0, MAX_TEXT);
      addNamed(line, 'id', ids);
      addNamed(
        line,
        'name',
        names.filter((name) => name !== ''),
      );
      if (ids.length > 1) line.count = ids.length;
    }
    line.status = reply.statusCode;
    line.ms = Math.round(reply.elapsedTime);
    const error = errors.get(request);
    if (error !== undefined) line.error = error;
    const what = change ? `${change.action} ${change.resource}` : `${request.method} ${request.url.slice(0, MAX_TEXT)}`;
    app.log.info(line, reply.statusCode >= 400 ? `${what} refused` : what);
    done();
  });
  return {
    note: (request, change) => void changes.set(request, change),
    by: (request, author) => void authors.set(request, author),
    failed: (request, error) => void errors.set(request, error),
  };
}
