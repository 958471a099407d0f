import type { Queries } from '../../db/database.ts';
import { type Json, nameIn, textIn } from '../body.ts';
import { badRequest, IdentityError, notFound } from '../errors.ts';
import {
  deleteProject,
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

export const projectDocument = ({ id, name, domain_id, parent_id, description, enabled }: ProjectRow) => ({
  ...{ id, name, domain_id, parent_id, description },
  ...{ enabled: enabled !== 0, is_domain: false, tags: [], options: {} },
});

const MAX_NAME = 64;

/**
 * Returns the domain in which a document places something; default: `fallback`. Throws IdentityError 400, and 404 if it does not
 * exist.
 */
export async function domainIdIn(db: Queries, document: Json, fallback: string): Promise<string> {
  const id = textIn(document, 'domain_id') ?? fallback;
  if (!(await findProject(db, true, id))) throw notFound('domain', id);
  return id;
}

/** Throws IdentityError 400 if a document would move something to another domain. */
export function keepDomain(document: Json, domainId: string): void {
  const wanted = textIn(document, 'domain_id');
  if (wanted !== undefined && wanted !== domainId) throw badRequest('domain_id cannot be changed.');
}

/** Adds the routes of projects. */
export function projectRoutes({ app, identity }: RouteParts): void {
  const one = async (db: Queries, id: string): Promise<ProjectRow> => {
    const row = await findProject(db, false, id);
    if (!row) throw notFound('project', id);
    return row;
  };

  app.get('/v3/projects', async (request) => {
    await readerOf(identity, request);
    const query = queryOf(request);
    const isDomain = flagFilter(query, 'is_domain') === true;
    const rows = isDomain
      ? []
      : await listProjects(identity.db, false, {
          name: filterOf(query, 'name'),
          domainId: filterOf(query, 'domain_id'),
          parentId: filterOf(query, 'parent_id'),
          enabled: flagFilter(query, 'enabled'),
        });
    const documents = rows.map((row) => linked(identity, request, 'projects', projectDocument(row)));
    return listAnswer(identity, request, 'projects', documents);
  });

  app.get('/v3/projects/:id', async (request) => {
    const id = parameter(request, 'id');
    await readerOf(identity, request, ({ project }) => project?.id === id);
    return { project: linked(identity, request, 'projects', projectDocument(await one(identity.db, id))) };
  });

  app.post('/v3/projects', async (request, reply) => {
    const caller = await adminOf(identity, request);
    const document = documentIn(request, 'project');
    if (document.is_domain === true) throw badRequest('Create domains with POST /v3/domains.');
    const row = await identity.change(async (trx) => {
      const parent = textIn(document, 'parent_id');
      const project = parent === undefined ? undefined : await findProject(trx, false, parent);
      const parentDomain = project?.domain_id ?? parent;
      const domainId = await domainIdIn(trx, document, parentDomain ?? caller.domain?.id ?? caller.userDomain.id);
      if (parentDomain !== undefined && parentDomain !== domainId)
        throw badRequest('parent_id must be a project of the same domain, or the domain itself.');
      const made: ProjectRow = {
        ...{ id: newId(), domain_id: domainId, parent_id: parent ?? domainId },
        ...{ name: nameIn(document, MAX_NAME), description: textIn(document, 'description') ?? '' },
        ...{ enabled: enabledIn(document, 1), is_domain: 0, from_file: 0 },
      };
      await insertProject(trx, made);
      return made;
    });
    reply.code(201);
    return { project: linked(identity, request, 'projects', projectDocument(row)) };
  });

  app.patch('/v3/projects/:id', async (request) => {
    await adminOf(identity, request);
    const document = documentIn(request, 'project');
    const row = await identity.change(async (trx) => {
      const former = await one(trx, parameter(request, 'id'));
      keepDomain(document, former.domain_id);
      const changed: ProjectRow = {
        ...former,
        name: document.name === undefined ? former.name : nameIn(document, MAX_NAME),
        description: textIn(document, 'description') ?? former.description,
        enabled: enabledIn(document, former.enabled),
      };
      await updateProject(trx, changed);
      return changed;
    });
    return { project: linked(identity, request, 'projects', projectDocument(row)) };
  });

  app.delete('/v3/projects/:id', async (request, reply) => {
    await adminOf(identity, request);
    await identity.change(async (trx) => {
      const { id } = await one(trx, parameter(request, 'id'));
      if ((await listProjects(trx, false, { parentId: id })).length > 0)
        throw new IdentityError(403, 'The project cannot be deleted, because it has projects below it.');
      await deleteProject(trx, id);
    });
    return noContent(reply);
  });
}
