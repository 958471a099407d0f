import { baseUrl, endpoints, SERVICES } from '../catalog.ts';
import { notFound } from '../errors.ts';
import { filterOf, linked, listAnswer, parameter, queryOf, type RouteParts, readerOf } from './context.ts';

/** Something of the catalogue, which is the same for everybody and cannot be changed. */
type Entry = { readonly id: string } & Readonly<Record<string, unknown>>;

/** Adds the routes of services, endpoints and regions. */
export function catalogRoutes(parts: RouteParts): void {
  const { app, identity } = parts;
  const { region } = identity.options;
  const collections: Readonly<
    Record<
      string,
      { readonly name: string; readonly filters: readonly string[]; entries(base: string): readonly Entry[] }
    >
  > = {
    services: {
      name: 'service',
      filters: ['name', 'type'],
      entries: () =>
        SERVICES.map(({ id, name, type, description }) => ({ id, name, type, description, enabled: true })),
    },
    endpoints: {
      name: 'endpoint',
      filters: ['interface', 'service_id', 'region_id'],
      entries: (base) => endpoints(base, region).map((endpoint) => ({ ...endpoint })),
    },
    regions: {
      name: 'region',
      filters: [],
      entries: () => [{ id: region, description: '', parent_region_id: null }],
    },
  };
  for (const [collection, { name, filters, entries }] of Object.entries(collections)) {
    app.get(`/v3/${collection}`, async (request) => {
      await readerOf(parts, request);
      const query = queryOf(request);
      const matches = (entry: Entry) =>
        filters.every((filter) => (filterOf(query, filter) ?? entry[filter]) === entry[filter]);
      const documents = entries(baseUrl(identity.options, request))
        .filter(matches)
        .map((entry) => linked(identity, request, collection, entry));
      return listAnswer(identity, request, collection, documents);
    });
    app.get(`/v3/${collection}/:id`, async (request) => {
      await readerOf(parts, request);
      const id = parameter(request, 'id');
      const found = entries(baseUrl(identity.options, request)).find((entry) => entry.id === id);
      if (!found) throw notFound(name, id);
      return { [name]: linked(identity, request, collection, found) };
    });
  }
}
