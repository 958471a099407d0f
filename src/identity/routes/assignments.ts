import type { FastifyRequest } from 'fastify';
import type { Queries } from '../../db/database.ts';
import { notFound } from '../errors.ts';
import {
  type AssignmentRow,
  assign,
  assignedRoles,
  listAssignments,
  SYSTEM,
  type Target,
  unassign,
} from '../store/assignments.ts';
import { findProject, listProjects } from '../store/projects.ts';
import { findRole, listRoles, withImplied } from '../store/roles.ts';
import { findUser, listUsers } from '../store/users.ts';
import {
  adminOf,
  filterOf,
  flagFilter,
  linked,
  linkTo,
  listAnswer,
  noContent,
  parameter,
  queryOf,
  type RouteParts,
  readerOf,
} from './context.ts';

/** Adds the routes that assign roles to users on projects, domains and the system, and list who has which. */
export function assignmentRoutes(parts: RouteParts): void {
  const { app, identity, changes } = parts;
  for (const type of ['project', 'domain', 'system'] as const) {
    const base = type === 'system' ? '/v3/system' : `/v3/${type}s/:target`;
    const all = `${base}/users/:user/roles`;
    const one = `${all}/:role`;

    const targetOf = async (db: Queries, request: FastifyRequest): Promise<Target> => {
      if (type === 'system') return SYSTEM;
      const id = parameter(request, 'target');
      if (!(await findProject(db, type === 'domain', id))) throw notFound(type, id);
      return { type, id };
    };
    const userIdOf = async (db: Queries, request: FastifyRequest): Promise<string> => {
      const id = parameter(request, 'user');
      if (!(await findUser(db, id))) throw notFound('user', id);
      return id;
    };
    /** Returns the parts of an assignment, all of which exist. */
    const named = async (db: Queries, request: FastifyRequest) => {
      const target = await targetOf(db, request);
      const userId = await userIdOf(db, request);
      const roleId = parameter(request, 'role');
      if (!(await findRole(db, roleId))) throw notFound('role', roleId);
      return { target, userId, roleId };
    };

    app.get(all, async (request) => {
      await readerOf(parts, request);
      const target = await targetOf(identity.db, request);
      const rows = await assignedRoles(identity.db, await userIdOf(identity.db, request), target);
      const documents = rows.map(({ id, name }) => linked(identity, request, 'roles', { id, name, domain_id: null }));
      return listAnswer(identity, request, 'roles', documents);
    });
    const noteChange = (request: FastifyRequest, action: string): void => {
      const parameters = {
        role: parameter(request, 'role'),
        user: parameter(request, 'user'),
        [type]: parameter(request, 'target') || 'all',
      };
      changes.note(request, { action, resource: 'role', parameters });
    };
    app.put(one, async (request, reply) => {
      noteChange(request, 'assign');
      await adminOf(parts, request);
      await identity.change(async (trx) => {
        const { target, userId, roleId } = await named(trx, request);
        await assign(trx, userId, target, roleId);
      });
      return noContent(reply);
    });
    app.route({
      method: ['GET', 'HEAD'],
      url: one,
      handler: async (request, reply) => {
        await readerOf(parts, request);
        const { target, userId, roleId } = await named(identity.db, request);
        const found = await listAssignments(identity.db, { userId, roleId, target });
        if (found.length === 0) throw notFound('role assignment', roleId);
        return noContent(reply);
      },
    });
    app.delete(one, async (request, reply) => {
      noteChange(request, 'unassign');
      await adminOf(parts, request);
      await identity.change(async (trx) => {
        const { target, userId, roleId } = await named(trx, request);
        if (!(await unassign(trx, userId, target, roleId))) throw notFound('role assignment', roleId);
      });
      return noContent(reply);
    });
  }

  app.get('/v3/role_assignments', async (request) => {
    await readerOf(parts, request);
    const query = queryOf(request);
    const roleId = filterOf(query, 'role.id');
    const effective = flagFilter(query, 'effective') === true;
    const rows = await listAssignments(identity.db, {
      userId: filterOf(query, 'user.id'),
      roleId: effective ? undefined : roleId,
      target: targetFilter(query),
    });
    const shown = query.has('group.id') ? [] : effective ? await withImpliedRoles(identity.db, rows) : rows;
    const wanted = shown.filter(({ role_id }) => roleId === undefined || role_id === roleId);
    const names = flagFilter(query, 'include_names') === true ? await namesOf(identity.db) : undefined;
    const documents = wanted.map((row) => ({
      ...assignmentDocument(row, names),
      links: { assignment: linkTo(identity, request, pathOf(row)) },
    }));
    return listAnswer(identity, request, 'role_assignments', documents);
  });
}

function targetFilter(query: URLSearchParams): Target | undefined {
  const project = filterOf(query, 'scope.project.id');
  if (project !== undefined) return { type: 'project', id: project };
  const domain = filterOf(query, 'scope.domain.id');
  if (domain !== undefined) return { type: 'domain', id: domain };
  return query.has('scope.system') ? SYSTEM : undefined;
}

const pathOf = ({ target_type: type, target_id, user_id, role_id }: AssignmentRow): string =>
  `${type === 'system' ? '/system' : `/${type}s/${target_id}`}/users/${user_id}/roles/${role_id}`;

/** Adds to assignments those of the implied roles, each once. */
async function withImpliedRoles(db: Queries, rows: readonly AssignmentRow[]): Promise<readonly AssignmentRow[]> {
  const roles = await listRoles(db);
  const all = rows.flatMap((row) => {
    const own = roles.filter(({ id }) => id === row.role_id);
    return withImplied(own, roles).map(({ id }) => ({ ...row, role_id: id }));
  });
  return [...new Map(all.map((row) => [pathOf(row), row])).values()];
}

/** A name with that of its domain, as `include_names` wants them. */
type Named = (id: string) => object;

interface Names {
  readonly user: Named;
  readonly role: Named;
  readonly project: Named;
  readonly domain: Named;
}

async function namesOf(db: Queries): Promise<Names> {
  const domains = new Map((await listProjects(db, true)).map(({ id, name }) => [id, { id, name }]));
  const inDomain = (rows: readonly { readonly id: string; readonly name: string; readonly domain_id: string }[]) => {
    const byId = new Map(rows.map(({ id, name, domain_id }) => [id, { id, name, domain: domains.get(domain_id) }]));
    return (id: string) => byId.get(id) ?? { id };
  };
  const roles = new Map((await listRoles(db)).map(({ id, name }) => [id, { id, name }]));
  return {
    user: inDomain(await listUsers(db)),
    project: inDomain(await listProjects(db, false)),
    role: (id) => roles.get(id) ?? { id },
    domain: (id) => domains.get(id) ?? { id },
  };
}

const NO_NAMES: Names = { user: idOnly, role: idOnly, project: idOnly, domain: idOnly };

function idOnly(id: string): object {
  return { id };
}

function assignmentDocument(row: AssignmentRow, names: Names = NO_NAMES): object {
  const { user_id, role_id, target_type, target_id } = row;
  const scope =
    target_type === 'system'
      ? { system: { all: true } }
      : target_type === 'domain'
        ? { domain: names.domain(target_id) }
        : { project: names.project(target_id) };
  return { role: names.role(role_id), user: names.user(user_id), scope };
}
