import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import type { Config } from '../config/options.ts';
import type { RequestContext } from '../plugin/core.ts';
import { neutronError } from '../resources/errors.ts';
import { parseBody } from './body.ts';
import type { IdentityProvider } from './context.ts';
import { answerBrokenRequest, sendError } from './error-bodies.ts';
import { openApi } from './openapi.ts';
import { HEALTH_PATH, healthRoute } from './routes/health.ts';
import { resourceRoutes, type ServedResource } from './routes/resource.ts';
import { versionRoutes } from './routes/versions.ts';
import { answerUnknownPaths } from './unknown-paths.ts';

export interface ApiOptions {
  readonly config: Config;
  readonly log: FastifyBaseLogger;
  readonly identity: IdentityProvider;
  readonly resources: readonly ServedResource[];
  /** Further routes (of extensions); `contextOf` tells who asks. */
  readonly routes?: readonly ((app: FastifyInstance, contextOf: (request: FastifyRequest) => RequestContext) => void)[];
}

const MAX_BODY = 16 * 1024 * 1024;
// Node refuses requests whose first line and headers are together longer.
const MAX_URL = 16 * 1024;

/** python-neutronclient asks for `/v2.0/ports.json`, others for `/v2.0/ports/`: both mean `/v2.0/ports`. */
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

/** `-1` and `infinite` are no bound, as in Neutron. */
function maxPage(config: Config): number | undefined {
  const limit = Number(config.DEFAULT.pagination_max_limit);
  return Number.isInteger(limit) && limit > 0 ? limit : undefined;
}

/** The API: all routes on one Fastify instance, not yet listening. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const { config, log, identity, resources } = options;
  const contexts = new WeakMap<FastifyRequest, RequestContext>();
  const contextOf = (request: FastifyRequest): RequestContext => {
    const context = contexts.get(request);
    if (!context) throw new Error('a route was reached before its caller was known');
    return context;
  };
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY,
    genReqId: () => `req-${randomUUID()}`,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_URL, ignoreTrailingSlash: false },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
    clientErrorHandler: answerBrokenRequest,
    rewriteUrl: (request) => plainUrl(request.url ?? '/'),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'string', bodyLimit: MAX_BODY },
    async (_request: FastifyRequest, body: string) => parseBody(body),
  );

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-openstack-request-id', request.id);
    if (!acceptsJson(request.headers.accept) && request.url !== HEALTH_PATH)
      throw neutronError('HTTPNotAcceptable', { accept: String(request.headers.accept).slice(0, 100) });
    contexts.set(request, await identity.identify(request));
  });
  app.addHook('onSend', async (_request, reply) => {
    // Neutron names no charset: JSON is always UTF-8 (RFC 8259, 8.1).
    if (String(reply.getHeader('content-type')).startsWith('application/json'))
      reply.header('content-type', 'application/json');
  });
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  answerUnknownPaths(app);

  healthRoute(app);
  versionRoutes(
    app,
    resources.map((r) => r.resource),
  );
  // Asked for as openapi.json: the suffix is taken off every URL.
  app.get('/v2.0/openapi', async () => openApi(resources));
  const ofResources = { maxPage: maxPage(config), allowBulk: config.DEFAULT.allow_bulk, contextOf };
  for (const served of resources) resourceRoutes(app, served, ofResources);
  for (const routes of options.routes ?? []) routes(app, contextOf);
  return app;
}
