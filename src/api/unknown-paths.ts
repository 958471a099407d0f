import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { neutronError, notFound, shown } from '../resources/errors.ts';
import type { ServedResource } from './routes/resource.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const;

/** The served resource that a path below /v2.0 belongs to, and what follows its name. */
function resourceAt(path: string, resources: readonly ServedResource[]) {
  const [, version, name, ...rest] = path.split('/');
  const served = version === 'v2.0' ? resources.find((r) => r.resource.path === name) : undefined;
  return served && rest.length <= 1 ? { resource: served.resource, id: rest[0] } : undefined;
}

/**
 * Answers what no route takes, as Neutron does: 405 where other methods are known; below /v2.0 a NeutronError; elsewhere the
 * bare body of its front, which knows only versions.
 */
export function answerUnknownPaths(app: FastifyInstance, resources: readonly ServedResource[]): void {
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const [path = '/'] = request.url.split('?');
    if (path === '/') return reply.code(405).send({ code: 405, title: 'Method Not Allowed', description: '' });
    const here = resourceAt(path, resources);
    // A GET that no route takes has an id that is none.
    if (here?.id !== undefined && request.method === 'GET') throw notFound(here.resource.name, here.id);
    if (here || METHODS.some((method) => app.hasRoute({ method, url: path })))
      throw neutronError('HTTPMethodNotAllowed', { method: request.method, path: shown(path) });
    if (path.startsWith('/v2.0/')) throw neutronError('HTTPNotFound', { path: shown(path) });
    return reply.code(404).send({ code: 404, title: 'Not Found', description: null });
  });
}
