import type { Queries } from '../../db/database.ts';
import { nameIn, textIn } from '../body.ts';
import { IdentityError, notFound } from '../errors.ts';
import { DEFAULT_DOMAIN } from '../file/read.ts';
import {
  deleteDomain,
  findProject,
  insertProject,
  listProjects,
  newId,
  type ProjectRow,
  updateProject,
} from '../store/projects.ts';
import {
  adminOf,
  documentIn,
  enabledIn,
  filterOf,
  flagFilter,
  linked,
  listAnswer,
  noContent,
  parameter,
  queryOf,
  type RouteParts,
  readerOf,
} from './context.ts';

export const domainDocument = ({ id, name, description, enabled }: ProjectRow) => ({
  ...{ id, name, description, enabled: enabled !== 0, tags: [], options: {} },
});

const MAX_NAME = 64;

/** Adds the routes of domains. */
export function domainRoutes({ app, identity }: RouteParts): void {
  const one = async (db: Queries, id: string): Promise<ProjectRow> => {
    const row = await findProject(db, true, id);
    if (!row) throw notFound('domain', id);
    return row;
  };

  app.get('/v3/domains', async (request) => {
    await readerOf(identity, request);
    const query = queryOf(request);
    const filter = { name: filterOf(query, 'name'), enabled: flagFilter(query, 'enabled') };
    const rows = await listProjects(identity.db, true, filter);
    const documents = rows.map((row) => linked(identity, request, 'domains', domainDocument(row)));
    return listAnswer(identity, request, 'domains', documents);
  });

  app.get('/v3/domains/:id', async (request) => {
    const id = parameter(request, 'id');
    await readerOf(identity, request, ({ domain }) => domain?.id === id);
    return { domain: linked(identity, request, 'domains', domainDocument(await one(identity.db, id))) };
  });

  app.post('/v3/domains', async (request, reply) => {
    await adminOf(identity, request);
    const document = documentIn(request, 'domain');
    const row: ProjectRow = {
      ...{ id: newId(), domain_id: '', parent_id: null },
      ...{ name: nameIn(document, MAX_NAME), description: textIn(document, 'description') ?? '' },
      ...{ enabled: enabledIn(document, 1), is_domain: 1, from_file: 0 },
    };
    await identity.change((trx) => insertProject(trx, row));
    reply.code(201);
    return { domain: linked(identity, request, 'domains', domainDocument(row)) };
  });

  app.patch('/v3/domains/:id', async (request) => {
    await adminOf(identity, request);
    const document = documentIn(request, 'domain');
    const row = await identity.change(async (trx) => {
      const former = await one(trx, parameter(request, 'id'));
      const changed: ProjectRow = {
        ...former,
        name: document.name === undefined ? former.name : nameIn(document, MAX_NAME),
        description: textIn(document, 'description') ?? former.description,
        enabled: enabledIn(document, former.enabled),
      };
      await updateProject(trx, changed);
      return changed;
    });
    return { domain: linked(identity, request, 'domains', domainDocument(row)) };
  });

  app.delete('/v3/domains/:id', async (request, reply) => {
    await adminOf(identity, request);
    await identity.change(async (trx) => {
      const row = await one(trx, parameter(request, 'id'));
      if (row.id === DEFAULT_DOMAIN.id) throw new IdentityError(403, 'The default domain cannot be deleted.');
      if (row.enabled) throw new IdentityError(403, 'Cannot delete a domain that is enabled, please disable it first.');
      await deleteDomain(trx, row.id);
    });
    return noContent(reply);
  });
}
