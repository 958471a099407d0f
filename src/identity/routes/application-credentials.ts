import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Queries } from '../../db/database.ts';
import { type Authorization, isAdmin } from '../authorization.ts';
import { flagIn, type Json, nameIn, objectOf, textIn } from '../body.ts';
import { badRequest, forbidden, notFound, shown } from '../errors.ts';
import {
  type ApplicationCredentialRow,
  deleteApplicationCredential,
  findApplicationCredential,
  insertApplicationCredential,
  listApplicationCredentials,
  roleIdsOf,
} from '../store/application-credentials.ts';
import { newId } from '../store/projects.ts';
import { listRoles } from '../store/roles.ts';
import { timeText } from '../token-document.ts';
import {
  callerOf,
  documentIn,
  filterOf,
  linked,
  listAnswer,
  noContent,
  parameter,
  queryOf,
  type RouteParts,
  readerOf,
} from './context.ts';

const MAX_NAME = 255;
const NAME = 'application_credential';

/** Returns the roles that a document requests, which the caller must have; default: all of the caller's. Throws IdentityError 400. */
function rolesIn(document: Json, caller: Authorization): readonly string[] {
  const { roles } = document;
  if (roles === undefined || roles === null) return caller.roles.map(({ id }) => id);
  if (!Array.isArray(roles) || roles.length === 0) throw badRequest('roles must be a list of at least one role.');
  return roles.map((one: unknown) => {
    const reference = objectOf(one, 'Each of the roles');
    const [id, name] = [textIn(reference, 'id'), textIn(reference, 'name')];
    const role = caller.roles.find((own) => (id === undefined ? own.name === name : own.id === id));
    if (!role) throw badRequest(`The role ${shown(id ?? name ?? '')} is none that you have on the project.`);
    return role.id;
  });
}

/** Returns the time at which a credential expires, in milliseconds since 1970; null: never. Throws IdentityError 400. */
function expiryIn(document: Json): number | null {
  const text = textIn(document, 'expires_at', 64);
  if (text === undefined) return null;
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(?:Z|\+00:?00)?$/.exec(text);
  const time = match ? Date.parse(`${match[1]}T${match[2]}Z`) : Number.NaN;
  if (!(time > Date.now())) throw badRequest('expires_at must be a time in the future, such as 2030-01-31T12:00:00Z.');
  return time;
}

/** Adds the routes of application credentials, which belong to a user. */
export function applicationCredentialRoutes(parts: RouteParts): void {
  const { app, identity, changes } = parts;
  const all = '/v3/users/:user/application_credentials';
  const one = `${all}/:id`;
  const pathOf = (request: FastifyRequest) => `users/${encodeURIComponent(parameter(request, 'user'))}/${NAME}s`;
  const own = (request: FastifyRequest) => (caller: Authorization) => caller.user.id === parameter(request, 'user');

  const documentsOf = async (request: FastifyRequest, rows: readonly ApplicationCredentialRow[], secret?: string) => {
    const roles = await listRoles(identity.db);
    return rows.map((row) => {
      const { id, name, description, project_id, user_id, expires_at, unrestricted } = row;
      const ids = roleIdsOf(row);
      return linked(identity, request, pathOf(request), {
        ...{ id, name, description, project_id, user_id, unrestricted: unrestricted !== 0, system: null },
        expires_at: expires_at === null ? null : timeText(Number(expires_at)),
        roles: roles
          .filter((role) => ids.includes(role.id))
          .map((role) => ({ id: role.id, name: role.name, domain_id: null })),
        ...(secret === undefined ? {} : { secret }),
      });
    });
  };
  const require = async (db: Queries, request: FastifyRequest): Promise<ApplicationCredentialRow> => {
    const id = parameter(request, 'id');
    const row = await findApplicationCredential(db, id);
    if (row?.user_id !== parameter(request, 'user')) throw notFound('application credential', id);
    return row;
  };
  /** Throws IdentityError 403 for somebody who has logged in with an application credential that must not make others. */
  const requireUnrestricted = ({ applicationCredential }: Authorization): void => {
    if (applicationCredential && !applicationCredential.unrestricted) throw forbidden();
  };

  app.get(all, async (request) => {
    await readerOf(parts, request, own(request));
    const name = filterOf(queryOf(request), 'name');
    const rows = await listApplicationCredentials(identity.db, parameter(request, 'user'), name);
    return listAnswer(identity, request, `${NAME}s`, await documentsOf(request, rows));
  });

  app.get(one, async (request) => {
    await readerOf(parts, request, own(request));
    const [document] = await documentsOf(request, [await require(identity.db, request)]);
    return { [NAME]: document };
  });

  app.post(all, async (request, reply) => {
    const noted = { action: 'create', resource: 'application credential' };
    changes.note(request, noted);
    const caller = await callerOf(parts, request);
    if (!own(request)(caller)) throw forbidden();
    requireUnrestricted(caller);
    if (!caller.project) throw badRequest('An application credential needs a token that is scoped to a project.');
    const document = documentIn(request, NAME);
    const secret = textIn(document, 'secret') ?? randomBytes(32).toString('base64url');
    const row: ApplicationCredentialRow = {
      ...{ id: newId(), user_id: caller.user.id, project_id: caller.project.id },
      ...{ name: nameIn(document, MAX_NAME), description: textIn(document, 'description') ?? '' },
      roles: JSON.stringify(rolesIn(document, caller)),
      unrestricted: Number(flagIn(document, 'unrestricted') ?? false),
      expires_at: expiryIn(document),
      secret_hash: await identity.passwords.hash(secret),
    };
    await identity.change((trx) => insertApplicationCredential(trx, row));
    changes.note(request, { ...noted, ids: [row.id], names: [row.name] });
    const [made] = await documentsOf(request, [row], secret);
    reply.code(201);
    return { [NAME]: made };
  });

  app.delete(one, async (request, reply) => {
    changes.note(request, { action: 'delete', resource: 'application credential', ids: [parameter(request, 'id')] });
    const caller = await callerOf(parts, request);
    if (!own(request)(caller) && !isAdmin(caller)) throw forbidden();
    requireUnrestricted(caller);
    await identity.change(async (trx) => deleteApplicationCredential(trx, (await require(trx, request)).id));
    return noContent(reply);
  });
}
