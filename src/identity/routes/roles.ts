import { nameIn, textIn } from '../body.ts';
import { IdentityError } from '../errors.ts';
import { newId } from '../store/projects.ts';
import {
  BUILT_IN,
  deleteRole,
  findRole,
  IMPLIED,
  insertRole,
  listRoles,
  type RoleRow,
  updateRole,
} from '../store/roles.ts';
import { type Collection, collectionRoutes, requireRow } from './collection.ts';
import { filterOf, linkTo, parameter, type RouteParts, readerOf } from './context.ts';

const MAX_NAME = 255;

/** Throws IdentityError 403 for the roles that always exist, because policies name them. */
function requireChangeable({ name }: RoleRow): void {
  if (BUILT_IN.includes(name)) throw new IdentityError(403, `The role ${name} always exists and cannot be changed.`);
}

const ROLES: Collection<RoleRow> = {
  name: 'role',
  plural: 'roles',
  document: ({ id, name, description }) => ({ id, name, domain_id: null, description, options: {} }),
  find: findRole,
  // All roles are global: none belongs to a domain.
  list: async (db, query) => (query.get('domain_id') ? [] : listRoles(db, filterOf(query, 'name'))),
  create: async (document) => async (trx) => {
    const description = textIn(document, 'description') ?? '';
    const row: RoleRow = { id: newId(), name: nameIn(document, MAX_NAME), description, from_file: 0 };
    await insertRole(trx, row);
    return row;
  },
  update: async (document) => async (trx, former) => {
    requireChangeable(former);
    const row: RoleRow = {
      ...former,
      name: document.name === undefined ? former.name : nameIn(document, MAX_NAME),
      description: textIn(document, 'description') ?? former.description,
    };
    await updateRole(trx, row);
    return row;
  },
  async delete(trx, row) {
    requireChangeable(row);
    await deleteRole(trx, row.id);
  },
};

/** Adds the routes of roles and of the roles that they imply. */
export function roleRoutes(parts: RouteParts): void {
  const { app, identity } = parts;
  collectionRoutes(parts, ROLES);

  /** Returns each role with those that it implies directly. */
  const inferences = async () => {
    const roles = await listRoles(identity.db);
    return roles.map((prior) => ({ prior, implied: roles.filter(({ name }) => IMPLIED[prior.name] === name) }));
  };
  const brief = ({ id, name }: RoleRow) => ({ id, name });
  app.get('/v3/role_inferences', async (request) => {
    await readerOf(parts, request);
    const found = (await inferences()).filter(({ implied }) => implied.length > 0);
    return {
      role_inferences: found.map(({ prior, implied }) => ({ prior_role: brief(prior), implies: implied.map(brief) })),
      links: { self: linkTo(identity, request, '/role_inferences') },
    };
  });
  app.get('/v3/roles/:id/implies', async (request) => {
    await readerOf(parts, request);
    const prior = await requireRow(ROLES, identity.db, parameter(request, 'id'));
    const found = (await inferences()).find((one) => one.prior.id === prior.id);
    return {
      role_inference: { prior_role: brief(prior), implies: (found?.implied ?? []).map(brief) },
      links: { self: linkTo(identity, request, `/roles/${prior.id}/implies`) },
    };
  });
}
