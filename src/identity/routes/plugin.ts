import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DatabaseUnavailable } from '../../db/errors.ts';
import { isUnreachable } from '../../db/mysql/errors.ts';
import { NeutronError } from '../../resources/errors.ts';
import { baseUrl, IDENTITY_PATH } from '../catalog.ts';
import { IdentityError, shown } from '../errors.ts';
import type { RequestLog } from '../request-log.ts';
import type { IdentityService } from '../service.ts';
import { applicationCredentialRoutes } from './application-credentials.ts';
import { assignmentRoutes } from './assignments.ts';
import { authRoutes } from './auth.ts';
import { catalogRoutes } from './catalog.ts';
import { domainRoutes } from './domains.ts';
import { projectRoutes } from './projects.ts';
import { roleRoutes } from './roles.ts';
import { userRoutes } from './users.ts';
import { versionRoutes } from './versions.ts';

const ROUTES = [
  versionRoutes,
  authRoutes,
  userRoutes,
  applicationCredentialRoutes,
  projectRoutes,
  domainRoutes,
  roleRoutes,
  assignmentRoutes,
  catalogRoutes,
];

/** The status, title and message of an error that the client is told; undefined for internal errors. */
function toldError(
  error: unknown,
): { readonly code: number; readonly title: string; readonly message: string } | undefined {
  if (error instanceof IdentityError) return { code: error.status, title: error.title, message: error.message };
  if (error instanceof NeutronError)
    return { code: error.status, title: STATUS_CODES[error.status] ?? '', message: error.message };
  if (error instanceof DatabaseUnavailable || isUnreachable(error))
    return { code: 503, title: 'Service Unavailable', message: 'The database cannot be reached; try again.' };
  const { statusCode, message } = (error ?? {}) as { readonly statusCode?: unknown; readonly message?: unknown };
  // What the HTTP layer itself refuses.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return { code: statusCode, title: STATUS_CODES[statusCode] ?? '', message: String(message) };
  return undefined;
}

/** Adds Identity v3 below `/identity`, with Keystone's bodies of errors. */
export function identityRoutes(app: FastifyInstance, identity: IdentityService, changes: RequestLog): void {
  const sendError = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const told = toldError(error);
    // Neither the body nor the headers of the request, which hold passwords and tokens.
    if (!told)
      request.log.error(
        { err: error, method: request.method, url: request.url },
        'request failed with an internal error',
      );
    const { code, title, message } = told ?? {
      ...{ code: 500, title: 'Internal Server Error' },
      message: `Request ${request.id} failed with an internal error; see the server log.`,
    };
    changes.failed(request, message);
    if (code === 401) reply.header('www-authenticate', `Keystone uri="${identityUrl(identity, request)}"`);
    if (error instanceof IdentityError) reply.headers(error.headers);
    reply.code(code).send({ error: { code, message, title } });
  };
  app.register(
    async (scope) => {
      scope.setErrorHandler(sendError);
      scope.setNotFoundHandler((request) => {
        const [path = ''] = request.url.split('?');
        throw new IdentityError(404, `The resource ${shown(path)} could not be found.`);
      });
      for (const add of ROUTES) add({ app: scope, identity, changes });
    },
    { prefix: '/identity' },
  );
}

/** Returns the URL at which clients log in; without a usable Host header, its path. */
function identityUrl(identity: IdentityService, request: { readonly protocol: string; readonly host: string }): string {
  try {
    return `${baseUrl(identity.options, request)}${IDENTITY_PATH}`;
  } catch {
    return IDENTITY_PATH;
  }
}
