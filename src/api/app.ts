import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import type { Caller, Headers, IdentityProvider } from '../auth/contract.ts';
import type { Config } from '../config/options.ts';
import type { Service } from '../plugin/service.ts';
import { neutronError } from '../resources/errors.ts';
import { parseBody } from './body.ts';
import { logChanges } from './change-log.ts';
import { answerBrokenRequest, sendError } from './error-bodies.ts';
import { type DescribedPaths, openApi } from './openapi.ts';
import { HEALTH_PATH, healthRoute } from './routes/health.ts';
import { collectionPath, resourceRoutes } from './routes/resource.ts';
import { versionRoutes } from './routes/versions.ts';
import { declaredSpelling } from './spellings.ts';
import { handleUnknownPaths } from './unknown-paths.ts';

/** Returns the caller of a request with these headers. */
export type CallerOf = (headers: Headers, requestId: string) => Promise<Caller> | Caller;

export interface ApiOptions {
  readonly config: Config;
  readonly log: FastifyBaseLogger;
  /** Authenticates a request. Throws NeutronError: 401, or 503 if that is not possible now. */
  readonly callerOf: CallerOf;
  /** The resources that are served. */
  readonly services: readonly Service[];
  /** Adds further routes; those outside of /v2.0 get requests without a caller. Returns what OpenAPI says of them. */
  readonly routes?:
    | ((...parts: Parameters<NonNullable<IdentityProvider['routes']>>) => DescribedPaths | undefined)
    | undefined;
}

/** The paths that need a caller; as in Neutron, not the list of versions, the health check and the description of the API. */
const NEEDS_CALLER = /^\/(?:v2\.0|neutrino\/v1)(?:[/?]|$)/;

const MAX_BODY = 16 * 1024 * 1024;
// Node rejects requests whose request line and headers together are longer.
const MAX_URL = 16 * 1024;

/** python-neutronclient requests `/v2.0/ports.json`, other clients `/v2.0/ports/`: both mean `/v2.0/ports`. */
function plainUrl(url: string): string {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const plain = path.replace(/(\.json|\/)$/, '');
  return `${plain === '' ? '/' : plain}${at < 0 ? '' : url.slice(at)}`;
}

function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === '') return true;
  return accept.split(',').some((part) => /^\s*(application\/(json|\*)|\*\/\*)\s*(;|$)/i.test(part));
}

/** As in Neutron, `-1` and `infinite` mean unlimited. */
function maxPage(config: Config): number | undefined {
  const limit = Number(config.DEFAULT.pagination_max_limit);
  return Number.isInteger(limit) && limit > 0 ? limit : undefined;
}

/** Builds the API: all routes on one Fastify instance, not yet listening. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const { config, log, callerOf: authenticate, services } = options;
  const callers = new WeakMap<FastifyRequest, Caller>();
  const callerOf = (request: FastifyRequest): Caller => {
    const caller = callers.get(request);
    if (!caller) throw new Error('a route was reached before its caller was identified');
    return caller;
  };
  const spelled = declaredSpelling(services.map(({ resource }) => resource.path));
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // No logger for each request, because few requests log anything; their lines contain the request id explicitly.
    childLoggerFactory: (logger) => logger,
    bodyLimit: MAX_BODY,
    genReqId: () => `req-${randomUUID()}`,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_URL, ignoreTrailingSlash: false },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
    clientErrorHandler: answerBrokenRequest,
    rewriteUrl: (request) => spelled(plainUrl(request.url ?? '/')),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'string', bodyLimit: MAX_BODY },
    async (_request: FastifyRequest, body: string) => parseBody(body),
  );

  const changes = logChanges(app, (request) => callers.get(request));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-openstack-request-id', request.id);
    if (!acceptsJson(request.headers.accept) && request.url !== HEALTH_PATH)
      throw neutronError('HTTPNotAcceptable', { accept: String(request.headers.accept).slice(0, 100) });
    // The path of the route, because the one of the request may be encoded in many ways.
    if (NEEDS_CALLER.test(request.routeOptions.url ?? request.url))
      callers.set(request, await authenticate(request.headers, String(request.id)));
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // As in Neutron, without a charset: JSON is always UTF-8 (RFC 8259, 8.1).
    if (String(reply.getHeader('content-type')).startsWith('application/json'))
      reply.header('content-type', 'application/json');
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    changes.failed(request, error instanceof Error ? error.message.slice(0, 500) : String(error));
    sendError(error, request, reply);
  });
  const resources = services.map(({ resource }) => resource);
  handleUnknownPaths(app, resources);

  healthRoute(app);
  versionRoutes(app, resources);
  const paths = new Map<string, string>();
  const placed = services.map((service) => {
    const { name, parent } = service.resource;
    const collection = collectionPath(service, parent && paths.get(parent.name));
    paths.set(name, collection);
    return { service, collection };
  });
  const further = options.routes?.(app, changes);
  // Requested as openapi.json: the suffix is stripped from every URL.
  for (const path of ['/v2.0/openapi', '/openapi']) app.get(path, async () => openApi(placed, further));
  const shared = { maxPage: maxPage(config), allowBulk: config.DEFAULT.allow_bulk, callerOf, changes };
  for (const { service, collection } of placed) resourceRoutes(app, service, collection, shared);
  return app;
}
