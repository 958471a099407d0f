import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Resource } from '../resources/attribute.ts';
import { neutronError, notFound, shown } from '../resources/errors.ts';

/** Returns whether a path matches a route: `/v2.0/ports/:id` matches `/v2.0/ports/7`. */
function takes(route: readonly string[], path: readonly string[]): boolean {
  return route.length === path.length && route.every((part, i) => part.startsWith(':') || part === path[i]);
}

/**
 * Handles requests that match no route, as Neutron does: 405 if the path supports other methods; otherwise, below /v2.0, a
 * NeutronError; elsewhere the plain body of Neutron's front end, which only knows versions. Must be called before routes are
 * added.
 */
export function handleUnknownPaths(app: FastifyInstance, resources: readonly Resource[]): void {
  const known = new Map<string, readonly string[]>();
  const updatable = new Map(
    resources
      .filter(({ parent, methods }) => !parent?.inPath && methods.includes('update'))
      .map((resource) => [`${resource.base ?? '/v2.0'}/${resource.path}`, resource]),
  );
  app.addHook('onRoute', ({ url }) => void known.set(url, url.split('/')));
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const [path = '/'] = request.url.split('?');
    if (path === '/') return reply.code(405).send({ code: 405, title: 'Method Not Allowed', description: '' });
    // As in Neutron, tags are created only by PUT.
    if (request.method === 'POST' && /^\/v2\.0\/[^/]+\/[^/]+\/tags$/.test(path))
      throw neutronError('HTTPNotFound', { path: shown(path) });
    const updated = request.method === 'PUT' && updatable.get(path);
    // As in Neutron, which takes it for the update of a resource without an id.
    if (updated) throw notFound(updated, 'None');
    const parts = path.split('/');
    if ([...known.values()].some((route) => takes(route, parts)))
      throw neutronError('HTTPMethodNotAllowed', { method: request.method, path: shown(path) });
    if (path.startsWith('/v2.0/')) throw neutronError('HTTPNotFound', { path: shown(path) });
    return reply.code(404).send({ code: 404, title: 'Not Found', description: null });
  });
}
