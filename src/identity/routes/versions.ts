import type { FastifyRequest } from 'fastify';
import { linkTo, type RouteParts } from './context.ts';

/** Adds the documents by which clients find Identity v3; they need no token. */
export function versionRoutes({ app, identity }: RouteParts): void {
  const version = (request: FastifyRequest) => ({
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: linkTo(identity, request, '/') }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  });
  app.get('/', async (request, reply) => reply.code(300).send({ versions: { values: [version(request)] } }));
  app.get('/v3', async (request) => ({ version: version(request) }));
}
