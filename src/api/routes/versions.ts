import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Extension, Resource } from '../../resources/attribute.ts';
import { neutronError, shown as shownText } from '../../resources/errors.ts';
import { servedExtensions } from '../../resources/extensions.ts';

const base = (request: FastifyRequest): string => `${request.protocol}://${request.host}`;
const shown = ({ alias, name, description, updated }: Extension) => ({ alias, name, description, updated, links: [] });

/** Adds the routes that list versions, resources and extensions. */
export function versionRoutes(app: FastifyInstance, resources: readonly Resource[]): void {
  app.get('/', async (request) => ({
    versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: `${base(request)}/v2.0/` }] }],
  }));
  app.get('/v2.0', async (request) => {
    // As in Neutron, only with a slash at the end: clients compare what they find with the link of the version.
    if (!/^\/v2\.0(\.json)?\/(\?|$)/.test(request.originalUrl)) throw neutronError('HTTPNotFound', { path: '/v2.0' });
    return {
      resources: resources
        .filter(({ core }) => core)
        .map((r) => ({
          name: r.name,
          collection: r.plural,
          links: [{ rel: 'self', href: `${base(request)}/v2.0/${r.path}` }],
        })),
    };
  });
  const extensions = servedExtensions(resources);
  app.get('/v2.0/extensions', async () => ({ extensions: extensions.map(shown) }));
  app.get<{ Params: { alias: string } }>('/v2.0/extensions/:alias', async (request, reply) => {
    const { alias } = request.params;
    const found = extensions.find((e) => e.alias === alias);
    if (found) return { extension: shown(found) };
    // The only response that Neutron generates with WebOb (its JSON error body), which inserts the text into a page.
    const message = `The resource could not be found.<br /><br />\nExtension with alias ${shownText(alias)} does not exist\n\n`;
    return reply.code(404).send({ message, code: '404 Not Found', title: 'Not Found' });
  });
}
