import { type Json, nameIn, textIn } from '../body.ts';
import { IdentityError } from '../errors.ts';
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
import { type Collection, collectionRoutes } from './collection.ts';
import { enabledIn, filterOf, flagFilter, type RouteParts } from './context.ts';

/** Length of the longest name of a project or domain. */
export const MAX_NAME = 64;

/** Returns a project or domain with the changes of a document. */
export const changedProject = (document: Json, former: ProjectRow): ProjectRow => ({
  ...former,
  name: document.name === undefined ? former.name : nameIn(document, MAX_NAME),
  description: textIn(document, 'description') ?? former.description,
  enabled: enabledIn(document, former.enabled),
});

export const DOMAINS: Collection<ProjectRow> = {
  name: 'domain',
  plural: 'domains',
  document: ({ id, name, description, enabled }) => ({
    ...{ id, name, description, enabled: enabled !== 0, tags: [], options: {} },
  }),
  find: (db, id) => findProject(db, true, id),
  list: (db, query) => listProjects(db, true, { name: filterOf(query, 'name'), enabled: flagFilter(query, 'enabled') }),
  own: ({ domain }, id) => domain?.id === id,
  create: async (document) => async (trx) => {
    const row: ProjectRow = {
      ...{ id: newId(), domain_id: '', parent_id: null },
      ...{ name: nameIn(document, MAX_NAME), description: textIn(document, 'description') ?? '' },
      ...{ enabled: enabledIn(document, 1), is_domain: 1, from_file: 0 },
    };
    await insertProject(trx, row);
    return row;
  },
  update: async (document) => async (trx, former) => {
    const row = changedProject(document, former);
    await updateProject(trx, row);
    return row;
  },
  async delete(trx, { id, enabled }) {
    if (id === DEFAULT_DOMAIN.id) throw new IdentityError(403, 'The default domain cannot be deleted.');
    if (enabled) throw new IdentityError(403, 'Cannot delete a domain that is enabled, please disable it first.');
    await deleteDomain(trx, id);
  },
};

/** Adds the routes of domains. */
export const domainRoutes = (parts: RouteParts): void => collectionRoutes(parts, DOMAINS);
