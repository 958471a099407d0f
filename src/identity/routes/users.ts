import { checkPassword } from '../authenticate.ts';
import { type Json, nameIn, textIn } from '../body.ts';
import { badRequest, unauthorized } from '../errors.ts';
import type { Passwords } from '../passwords.ts';
import { listAssignments } from '../store/assignments.ts';
import { findProject, newId } from '../store/projects.ts';
import { deleteUser, findUser, insertUser, listUsers, type UserRow, updateUser } from '../store/users.ts';
import { type Collection, collectionRoutes, requireRow } from './collection.ts';
import {
  documentIn,
  enabledIn,
  filterOf,
  flagFilter,
  linked,
  listAnswer,
  noContent,
  parameter,
  type RouteParts,
  readerOf,
} from './context.ts';
import { domainIdIn, keepDomain, PROJECTS } from './projects.ts';

const MAX_NAME = 255;
const MAX_ID = 64;

/** Returns a property that null removes; `fallback` if it is absent. */
const removable = (document: Json, name: string, fallback: string | null, maxLength = MAX_NAME): string | null =>
  document[name] === undefined ? fallback : (textIn(document, name, maxLength) ?? null);

function passwordIn(document: Json): string | undefined {
  const password = textIn(document, 'password');
  if (password === '') throw badRequest('password must not be empty.');
  return password;
}

const users = (passwords: Passwords): Collection<UserRow> => ({
  name: 'user',
  plural: 'users',
  document: ({ id, name, domain_id, description, email, enabled, default_project_id }) => ({
    ...{ id, name, domain_id, enabled: enabled !== 0, password_expires_at: null, options: {} },
    ...(description === '' ? {} : { description }),
    ...(email === null ? {} : { email }),
    ...(default_project_id === null ? {} : { default_project_id }),
  }),
  find: findUser,
  list: (db, query) =>
    listUsers(db, {
      name: filterOf(query, 'name'),
      domainId: filterOf(query, 'domain_id'),
      enabled: flagFilter(query, 'enabled'),
    }),
  own: ({ user }, id) => user.id === id,
  async create(document, caller) {
    const values = {
      ...{ id: newId(), name: nameIn(document, MAX_NAME), enabled: enabledIn(document, 1), from_file: 0 },
      description: textIn(document, 'description') ?? '',
      email: removable(document, 'email', null),
      default_project_id: removable(document, 'default_project_id', null, MAX_ID),
    };
    const password = passwordIn(document);
    // Before the transaction, because it takes long.
    const password_hash = password === undefined ? null : await passwords.hash(password);
    return async (trx) => {
      const domain_id = await domainIdIn(trx, document, caller.domain?.id ?? caller.userDomain.id);
      const row: UserRow = { ...values, domain_id, password_hash, token_generation: 0 };
      await insertUser(trx, row);
      return row;
    };
  },
  async update(document) {
    const password = passwordIn(document);
    const passwordHash = password === undefined ? undefined : await passwords.hash(password);
    return async (trx, former) => {
      keepDomain(document, former.domain_id);
      const enabled = enabledIn(document, former.enabled);
      // As in Keystone, a new password and a disablement end all tokens of the user.
      const ended = passwordHash !== undefined || (former.enabled !== 0 && enabled === 0);
      const row: UserRow = {
        ...former,
        enabled,
        name: document.name === undefined ? former.name : nameIn(document, MAX_NAME),
        description: textIn(document, 'description') ?? former.description,
        email: removable(document, 'email', former.email),
        default_project_id: removable(document, 'default_project_id', former.default_project_id, MAX_ID),
        password_hash: passwordHash ?? former.password_hash,
        token_generation: Number(former.token_generation) + (ended ? 1 : 0),
      };
      await updateUser(trx, row);
      return row;
    };
  },
  delete: (trx, { id }) => deleteUser(trx, id),
});

/** Adds the routes of users. */
export function userRoutes(parts: RouteParts): void {
  const { app, identity, changes } = parts;
  const collection = users(identity.passwords);
  collectionRoutes(parts, collection);

  app.get('/v3/users/:id/projects', async (request) => {
    const id = parameter(request, 'id');
    await readerOf(parts, request, ({ user }) => user.id === id);
    await requireRow(collection, identity.db, id);
    const rows = await listAssignments(identity.db, { userId: id });
    const ids = new Set(rows.filter(({ target_type }) => target_type === 'project').map(({ target_id }) => target_id));
    const projects = await Promise.all([...ids].map((project) => findProject(identity.db, false, project)));
    const documents = projects
      .filter((row) => row !== undefined)
      .map((row) => linked(identity, request, 'projects', PROJECTS.document(row)));
    return listAnswer(identity, request, 'projects', documents);
  });

  // There are no groups, but clients ask for them.
  app.get('/v3/users/:id/groups', async (request) => {
    const id = parameter(request, 'id');
    await readerOf(parts, request, ({ user }) => user.id === id);
    await requireRow(collection, identity.db, id);
    return listAnswer(identity, request, 'groups', []);
  });
  app.get('/v3/groups', async (request) => {
    await readerOf(parts, request);
    return listAnswer(identity, request, 'groups', []);
  });

  // As in Keystone, the original password is the authorization.
  app.post('/v3/users/:id/password', async (request, reply) => {
    const id = parameter(request, 'id');
    changes.note(request, { action: 'change password of', resource: 'user', ids: [id] });
    const document = documentIn(request, 'user');
    const [original, password] = [textIn(document, 'original_password'), passwordIn(document)];
    if (original === undefined || password === undefined)
      throw badRequest('original_password and password are required properties.');
    const user = await findUser(identity.db, id);
    await checkPassword(identity, user, id, original, request.ip);
    const password_hash = await identity.passwords.hash(password);
    await identity.change(async (trx) => {
      const former = await findUser(trx, id);
      // Another change has been faster.
      if (!former?.enabled || former.password_hash !== user?.password_hash) throw unauthorized();
      const token_generation = Number(former.token_generation) + 1;
      await updateUser(trx, { ...former, password_hash, token_generation });
    });
    return noContent(reply);
  });
}
