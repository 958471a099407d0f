import type { Queries } from '../../db/database.ts';
import { checkPassword } from '../authenticate.ts';
import { type Json, nameIn, textIn } from '../body.ts';
import { badRequest, notFound, unauthorized } from '../errors.ts';
import { listAssignments } from '../store/assignments.ts';
import { findProject, newId } from '../store/projects.ts';
import { deleteUser, findUser, insertUser, listUsers, type UserRow, updateUser } from '../store/users.ts';
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
import { domainIdIn, keepDomain, projectDocument } from './projects.ts';

const userDocument = ({ id, name, domain_id, description, email, enabled, default_project_id }: UserRow) => ({
  ...{ id, name, domain_id, enabled: enabled !== 0, password_expires_at: null, options: {} },
  ...(description === '' ? {} : { description }),
  ...(email === null ? {} : { email }),
  ...(default_project_id === null ? {} : { default_project_id }),
});

const MAX_NAME = 255;
const MAX_ID = 64;

/** Returns a property that may be removed by null; `fallback` if it is absent. */
const removable = (document: Json, name: string, fallback: string | null, maxLength = MAX_NAME): string | null =>
  document[name] === undefined ? fallback : (textIn(document, name, maxLength) ?? null);

function passwordIn(document: Json): string | undefined {
  const password = textIn(document, 'password');
  if (password === '') throw badRequest('password must not be empty.');
  return password;
}

/** Adds the routes of users. */
export function userRoutes({ app, identity }: RouteParts): void {
  const one = async (db: Queries, id: string): Promise<UserRow> => {
    const row = await findUser(db, id);
    if (!row) throw notFound('user', id);
    return row;
  };

  app.get('/v3/users', async (request) => {
    await readerOf(identity, request);
    const query = queryOf(request);
    const rows = await listUsers(identity.db, {
      name: filterOf(query, 'name'),
      domainId: filterOf(query, 'domain_id'),
      enabled: flagFilter(query, 'enabled'),
    });
    const documents = rows.map((row) => linked(identity, request, 'users', userDocument(row)));
    return listAnswer(identity, request, 'users', documents);
  });

  app.get('/v3/users/:id', async (request) => {
    const id = parameter(request, 'id');
    await readerOf(identity, request, ({ user }) => user.id === id);
    return { user: linked(identity, request, 'users', userDocument(await one(identity.db, id))) };
  });

  app.get('/v3/users/:id/projects', async (request) => {
    const id = parameter(request, 'id');
    await readerOf(identity, request, ({ user }) => user.id === id);
    await one(identity.db, id);
    const rows = await listAssignments(identity.db, { userId: id });
    const ids = new Set(rows.filter(({ target_type }) => target_type === 'project').map(({ target_id }) => target_id));
    const projects = await Promise.all([...ids].map((project) => findProject(identity.db, false, project)));
    const documents = projects
      .filter((row) => row !== undefined)
      .map((row) => linked(identity, request, 'projects', projectDocument(row)));
    return listAnswer(identity, request, 'projects', documents);
  });

  // There are no groups; clients ask all the same.
  app.get('/v3/users/:id/groups', async (request) => {
    const id = parameter(request, 'id');
    await readerOf(identity, request, ({ user }) => user.id === id);
    await one(identity.db, id);
    return listAnswer(identity, request, 'groups', []);
  });
  app.get('/v3/groups', async (request) => {
    await readerOf(identity, request);
    return listAnswer(identity, request, 'groups', []);
  });

  app.post('/v3/users', async (request, reply) => {
    const caller = await adminOf(identity, request);
    const document = documentIn(request, 'user');
    const password = passwordIn(document);
    const name = nameIn(document, MAX_NAME);
    const enabled = enabledIn(document, 1);
    const passwordHash = password === undefined ? null : await identity.passwords.hash(password);
    const row = await identity.change(async (trx) => {
      const made: UserRow = {
        ...{ id: newId(), name, enabled, password_hash: passwordHash, token_generation: 0, from_file: 0 },
        domain_id: await domainIdIn(trx, document, caller.domain?.id ?? caller.userDomain.id),
        description: textIn(document, 'description') ?? '',
        email: removable(document, 'email', null),
        default_project_id: removable(document, 'default_project_id', null, MAX_ID),
      };
      await insertUser(trx, made);
      return made;
    });
    reply.code(201);
    return { user: linked(identity, request, 'users', userDocument(row)) };
  });

  app.patch('/v3/users/:id', async (request) => {
    await adminOf(identity, request);
    const document = documentIn(request, 'user');
    const password = passwordIn(document);
    const passwordHash = password === undefined ? undefined : await identity.passwords.hash(password);
    const row = await identity.change(async (trx) => {
      const former = await one(trx, parameter(request, 'id'));
      keepDomain(document, former.domain_id);
      const enabled = enabledIn(document, former.enabled);
      // As in Keystone, a new password and a disablement end all tokens of the user.
      const ended = passwordHash !== undefined || (former.enabled !== 0 && enabled === 0);
      const changed: UserRow = {
        ...former,
        enabled,
        name: document.name === undefined ? former.name : nameIn(document, MAX_NAME),
        description: textIn(document, 'description') ?? former.description,
        email: removable(document, 'email', former.email),
        default_project_id: removable(document, 'default_project_id', former.default_project_id, MAX_ID),
        password_hash: passwordHash ?? former.password_hash,
        token_generation: Number(former.token_generation) + (ended ? 1 : 0),
      };
      await updateUser(trx, changed);
      return changed;
    });
    return { user: linked(identity, request, 'users', userDocument(row)) };
  });

  // As in Keystone, the original password is the authorization.
  app.post('/v3/users/:id/password', async (request, reply) => {
    const id = parameter(request, 'id');
    const document = documentIn(request, 'user');
    const [original, password] = [textIn(document, 'original_password'), passwordIn(document)];
    if (original === undefined || password === undefined)
      throw badRequest('original_password and password are required properties.');
    const user = await findUser(identity.db, id);
    await checkPassword(identity, user, id, original, request.ip);
    const passwordHash = await identity.passwords.hash(password);
    await identity.change(async (trx) => {
      const former = await findUser(trx, id);
      // Another change has been faster.
      if (!former?.enabled || former.password_hash !== user?.password_hash) throw unauthorized();
      const token_generation = Number(former.token_generation) + 1;
      await updateUser(trx, { ...former, password_hash: passwordHash, token_generation });
    });
    return noContent(reply);
  });

  app.delete('/v3/users/:id', async (request, reply) => {
    await adminOf(identity, request);
    await identity.change(async (trx) => {
      const { id } = await one(trx, parameter(request, 'id'));
      await deleteUser(trx, id);
    });
    return noContent(reply);
  });
}
