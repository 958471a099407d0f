import type { Queries } from '../../db/database.ts';
import { type Json, nameIn, textIn } from '../body.ts';
import { badRequest, IdentityError } from '../errors.ts';
import {
  deleteProject,
  findProject,
  insertProject,
  listProjects,
  newId,
  type ProjectRow,
  updateProject,
} from '../store/projects.ts';
import { type Collection, collectionRoutes, requireRow } from './collection.ts';
import { enabledIn, filterOf, flagFilter, type RouteParts } from './context.ts';
import { changedProject, DOMAINS, MAX_NAME } from './domains.ts';

/** Returns the domain in which a document places something; default: `fallback`. Throws IdentityError 404. */
export async function domainIdIn(db: Queries, document: Json, fallback: string): Promise<string> {
  const id = textIn(document, 'domain_id') ?? fallback;
  return (await requireRow(DOMAINS, db, id)).id;
}

/** Throws IdentityError 400 if a document would move something to another domain. */
export function keepDomain(document: Json, domainId: string): void {
  const wanted = textIn(document, 'domain_id');
  if (wanted !== undefined && wanted !== domainId) throw badRequest('domain_id cannot be changed.');
}

/** Returns the domain of the project above, or the domain that stands in its place; undefined if a document names none. */
async function parentDomainIn(db: Queries, document: Json): Promise<string | undefined> {
  const parent = textIn(document, 'parent_id');
  const project = parent === undefined ? undefined : await findProject(db, false, parent);
  return project?.domain_id ?? parent;
}

export const PROJECTS: Collection<ProjectRow> = {
  name: 'project',
  plural: 'projects',
  document: ({ id, name, domain_id, parent_id, description, enabled }) => ({
    ...{ id, name, domain_id, parent_id, description },
    ...{ enabled: enabled !== 0, is_domain: false, tags: [], options: {} },
  }),
  find: (db, id) => findProject(db, false, id),
  list: async (db, query) =>
    flagFilter(query, 'is_domain') === true
      ? []
      : listProjects(db, false, {
          name: filterOf(query, 'name'),
          domainId: filterOf(query, 'domain_id'),
          parentId: filterOf(query, 'parent_id'),
          enabled: flagFilter(query, 'enabled'),
        }),
  own: ({ project }, id) => project?.id === id,
  create: async (document, caller) => async (trx) => {
    if (document.is_domain === true) throw badRequest('Domains are created with POST /v3/domains.');
    const above = await parentDomainIn(trx, document);
    const domainId = await domainIdIn(trx, document, above ?? caller.domain?.id ?? caller.userDomain.id);
    if (above !== undefined && above !== domainId)
      throw badRequest('parent_id must be a project of the same domain, or the domain itself.');
    const row: ProjectRow = {
      ...{ id: newId(), domain_id: domainId, parent_id: textIn(document, 'parent_id') ?? domainId },
      ...{ name: nameIn(document, MAX_NAME), description: textIn(document, 'description') ?? '' },
      ...{ enabled: enabledIn(document, 1), is_domain: 0, from_file: 0 },
    };
    await insertProject(trx, row);
    return row;
  },
  update: async (document) => async (trx, former) => {
    keepDomain(document, former.domain_id);
    const row = changedProject(document, former);
    await updateProject(trx, row);
    return row;
  },
  async delete(trx, { id }) {
    if ((await listProjects(trx, false, { parentId: id })).length > 0)
      throw new IdentityError(403, 'The project cannot be deleted, because it has projects below it.');
    await deleteProject(trx, id);
  },
};

/** Adds the routes of projects. */
export const projectRoutes = (parts: RouteParts): void => collectionRoutes(parts, PROJECTS);
