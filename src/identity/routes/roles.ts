import type { Queries } from '../../db/database.ts';
import { nameIn, textIn } from '../body.ts';
import { IdentityError, notFound } from '../errors.ts';
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
import {
  adminOf,
  documentIn,
  filterOf,
  linked,
  linkTo,
  listAnswer,
  noContent,
  parameter,
  queryOf,
  type RouteParts,
  readerOf,
} from './context.ts';

const roleDocument = ({ id, name, description }: RoleRow) => ({ id, name, domain_id: null, description, options: {} });

const MAX_NAME = 255;

/** Adds the routes of roles and of the roles that they imply. */
export function roleRoutes({ app, identity }: RouteParts): void {
  const one = async (db: Queries, id: string): Promise<RoleRow> => {
    const row = await findRole(db, id);
    if (!row) throw notFound('role', id);
    return row;
  };
  /** Returns a role to change. Throws IdentityError 403 for those that always exist, because policies name them. */
  const changeable = async (db: Queries, id: string): Promise<RoleRow> => {
    const row = await one(db, id);
    if (BUILT_IN.includes(row.name))
      throw new IdentityError(403, `The role ${row.name} always exists and cannot be changed.`);
    return row;
  };

  app.get('/v3/roles', async (request) => {
    await readerOf(identity, request);
    const query = queryOf(request);
    // All roles are global: none belongs to a domain.
    const rows = query.get('domain_id') ? [] : await listRoles(identity.db, filterOf(query, 'name'));
    const documents = rows.map((row) => linked(identity, request, 'roles', roleDocument(row)));
    return listAnswer(identity, request, 'roles', documents);
  });

  app.get('/v3/roles/:id', async (request) => {
    await readerOf(identity, request);
    const row = await one(identity.db, parameter(request, 'id'));
    return { role: linked(identity, request, 'roles', roleDocument(row)) };
  });

  app.post('/v3/roles', async (request, reply) => {
    await adminOf(identity, request);
    const document = documentIn(request, 'role');
    const description = textIn(document, 'description') ?? '';
    const row: RoleRow = { id: newId(), name: nameIn(document, MAX_NAME), description, from_file: 0 };
    await identity.change((trx) => insertRole(trx, row));
    reply.code(201);
    return { role: linked(identity, request, 'roles', roleDocument(row)) };
  });

  app.patch('/v3/roles/:id', async (request) => {
    await adminOf(identity, request);
    const document = documentIn(request, 'role');
    const row = await identity.change(async (trx) => {
      const former = await changeable(trx, parameter(request, 'id'));
      const changed: RoleRow = {
        ...former,
        name: document.name === undefined ? former.name : nameIn(document, MAX_NAME),
        description: textIn(document, 'description') ?? former.description,
      };
      await updateRole(trx, changed);
      return changed;
    });
    return { role: linked(identity, request, 'roles', roleDocument(row)) };
  });

  app.delete('/v3/roles/:id', async (request, reply) => {
    await adminOf(identity, request);
    await identity.change(async (trx) => {
      const { id } = await changeable(trx, parameter(request, 'id'));
      await deleteRole(trx, id);
    });
    return noContent(reply);
  });

  /** Returns each role that implies another one, with that one. */
  const inferences = async () => {
    const roles = await listRoles(identity.db);
    return roles.map((prior) => ({ prior, implied: roles.filter(({ name }) => IMPLIED[prior.name] === name) }));
  };
  const brief = ({ id, name }: RoleRow) => ({ id, name });
  app.get('/v3/role_inferences', async (request) => {
    await readerOf(identity, request);
    const found = (await inferences()).filter(({ implied }) => implied.length > 0);
    return {
      role_inferences: found.map(({ prior, implied }) => ({ prior_role: brief(prior), implies: implied.map(brief) })),
      links: { self: linkTo(identity, request, '/role_inferences') },
    };
  });
  app.get('/v3/roles/:id/implies', async (request) => {
    await readerOf(identity, request);
    const prior = await one(identity.db, parameter(request, 'id'));
    const found = (await inferences()).find((one) => one.prior.id === prior.id);
    return {
      role_inference: { prior_role: brief(prior), implies: (found?.implied ?? []).map(brief) },
      links: { self: linkTo(identity, request, `/roles/${prior.id}/implies`) },
    };
  });
}
