import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Authorization, isAdmin } from '../authorization.ts';
import { flagIn, type Json, objectIn, objectOf } from '../body.ts';
import { baseUrl, IDENTITY_PATH } from '../catalog.ts';
import { badRequest, forbidden, shown, unauthorized } from '../errors.ts';
import type { RequestLog } from '../request-log.ts';
import type { IdentityService } from '../service.ts';

/** What every group of routes is built with. Paths are below `/identity`. */
export interface RouteParts {
  readonly app: FastifyInstance;
  readonly identity: IdentityService;
  readonly changes: RequestLog;
}

/** Returns what the token of a request means. Throws IdentityError 401. */
export async function callerOf({ identity, changes }: RouteParts, request: FastifyRequest): Promise<Authorization> {
  const token = request.headers['x-auth-token'];
  const caller = typeof token === 'string' ? await identity.authorization(token) : undefined;
  if (!caller) throw unauthorized();
  changes.by(request, { userId: caller.user.id, projectId: caller.project?.id ?? '' });
  return caller;
}

/** Returns an administrator. Throws IdentityError 401, and 403 for anybody else. */
export async function adminOf(parts: RouteParts, request: FastifyRequest): Promise<Authorization> {
  const caller = await callerOf(parts, request);
  if (!isAdmin(caller)) throw forbidden();
  return caller;
}

/** Returns the caller if it may read everything, or if `own` holds. Throws IdentityError 401 and 403. */
export async function readerOf(
  parts: RouteParts,
  request: FastifyRequest,
  own: (caller: Authorization) => boolean = () => false,
): Promise<Authorization> {
  const caller = await callerOf(parts, request);
  const isSystemReader = caller.scope.kind === 'system' && caller.roles.some(({ name }) => name === 'reader');
  if (!isAdmin(caller) && !isSystemReader && !own(caller)) throw forbidden();
  return caller;
}

/** Returns a parameter of the path. */
export const parameter = (request: FastifyRequest, name: string): string =>
  (request.params as Readonly<Record<string, string | undefined>>)[name] ?? '';

/** Returns the parameters of a request's query. */
export const queryOf = (request: FastifyRequest): URLSearchParams =>
  new URLSearchParams(request.url.split('?').slice(1).join('?'));

/** Returns a filter of the query; undefined if it is absent. */
export const filterOf = (query: URLSearchParams, name: string): string | undefined => query.get(name) ?? undefined;

/** Returns a filter that is true or false. Throws IdentityError 400. */
export function flagFilter(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  // As in Keystone, where the name alone means true.
  if (text === '' || /^(true|1)$/i.test(text)) return true;
  if (/^(false|0)$/i.test(text)) return false;
  throw badRequest(`${name} must be true or false, not ${shown(text)}.`);
}

/** Returns the document in the body of a request: `{ user: ... }`. Throws IdentityError 400. */
export const documentIn = (request: FastifyRequest, name: string): Json =>
  objectIn(objectOf(request.body, 'The body'), name);

/** Returns `enabled` of a document as stored. */
export const enabledIn = (document: Json, fallback: number): number => Number(flagIn(document, 'enabled') ?? fallback);

/** Returns the URL of a resource of Identity v3. */
export const linkTo = (identity: IdentityService, request: FastifyRequest, path: string): string =>
  `${baseUrl(identity.options, request)}${IDENTITY_PATH}${path}`;

/** Adds to a document the link to itself. */
export const linked = (
  identity: IdentityService,
  request: FastifyRequest,
  collection: string,
  document: { readonly id: string } & Readonly<Record<string, unknown>>,
): object => ({
  ...document,
  links: { self: linkTo(identity, request, `/${collection}/${encodeURIComponent(document.id)}`) },
});

/** Returns the answer to a list. */
export const listAnswer = (
  identity: IdentityService,
  request: FastifyRequest,
  collection: string,
  documents: readonly object[],
): object => ({
  [collection]: documents,
  links: { self: linkTo(identity, request, `/${collection}`), previous: null, next: null },
});

/** Responds with 204. */
export const noContent = (reply: FastifyReply): FastifyReply => reply.code(204).removeHeader('content-type').send();
