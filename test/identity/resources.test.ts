import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type IdentityWorld, identityWorld } from './world.ts';

let world: IdentityWorld;
let admin: string;
let demo: string;
beforeAll(async () => {
  world = await identityWorld();
  [admin, demo] = [await world.token(world.admin), await world.token(world.demo)];
});
afterAll(() => world?.close());

type Json = Record<string, unknown>;
interface Row {
  readonly id: string;
  readonly [name: string]: unknown;
}

async function send(method: string, path: string, payload?: unknown, token = admin) {
  const options = {
    method,
    url: `/identity/v3/${path}`,
    ...(payload === undefined ? {} : { payload }),
  } as InjectOptions;
  const { statusCode, body } = await world.request(options, token);
  return { status: statusCode, body: (body === '' ? {} : JSON.parse(body)) as Json };
}
const list = async (path: string, token = admin) => {
  const { body } = await send('GET', path, undefined, token);
  return body[path.split('?')[0] ?? ''] as readonly Row[];
};
const create = async (collection: string, name: string, values: Json): Promise<Row> => {
  const { status, body } = await send('POST', collection, { [name]: values });
  expect(status, JSON.stringify(body)).toBe(201);
  return body[name] as Row;
};
const idOf = async (collection: string, name: string) => String((await list(`${collection}?name=${name}`))[0]?.id);

describe.each([
  ['users', 'user', { domain_id: 'default', enabled: true, email: 'a@b', password: 'x' }],
  ['projects', 'project', { domain_id: 'default', parent_id: 'default', enabled: true, description: 'd' }],
  ['domains', 'domain', { enabled: false, description: 'd' }],
  ['roles', 'role', { description: 'd' }],
])('/v3/%s', (collection, name, values: Json) => {
  const { password: _, ...seen } = values;

  test('creates, shows, lists by name, updates and deletes', async () => {
    const made = await create(collection, name, { name: 'one', ...values });
    expect(made).toMatchObject({ ...seen, name: 'one', id: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(made.links).toEqual({ self: `http://localhost:80/identity/v3/${collection}/${made.id}` });
    expect(JSON.stringify(made)).not.toContain('password"');
    const path = `${collection}/${made.id}`;
    expect(await send('GET', path)).toEqual({ status: 200, body: { [name]: made } });
    expect(await list(`${collection}?name=one`)).toEqual([made]);
    expect(await list(`${collection}?name=two`)).toEqual([]);
    const changed = await send('PATCH', path, { [name]: { name: 'two', description: 'other' } });
    expect(changed).toMatchObject({ status: 200, body: { [name]: { ...made, name: 'two', description: 'other' } } });
    expect((await send('DELETE', path)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect((await send(method, path)).status, method).toBe(404);
    expect((await send('PATCH', path, { [name]: {} })).status).toBe(404);
  });

  test('refuses a name twice, and malformed documents, with an error that names the property', async () => {
    const made = await create(collection, name, { name: 'taken', ...values });
    const other = await create(collection, name, { name: 'other', ...values });
    const taken = { ...values, name: 'taken' };
    for (const answer of [
      await send('POST', collection, { [name]: taken }),
      await send('PATCH', `${collection}/${other.id}`, { [name]: { name: 'taken' } }),
    ]) {
      expect(answer.status).toBe(409);
      expect(JSON.stringify(answer.body)).toContain('with the same name: taken.');
    }
    for (const [wrong, message] of [
      [undefined, 'The body must be an object.'],
      [{}, `${name} must be an object.`],
      [{ [name]: {} }, 'name is a required property.'],
      [{ [name]: { name: 1 } }, 'name must be a string.'],
      [{ [name]: { name: ' x' } }, 'name must not be empty, begin or end with a blank, or contain control characters.'],
      [{ [name]: { name: '' } }, 'name must not be empty, begin or end'],
      [{ [name]: { name: 'a\nb' } }, 'contain control characters.'],
      [{ [name]: { name: 'x'.repeat(256) } }, 'name must have at most'],
      [{ [name]: { name: 'x', description: 1 } }, 'description must be a string.'],
      [{ [name]: { name: 'x', description: '\0' } }, 'description must not contain a null character.'],
      ...(collection === 'roles'
        ? []
        : [[{ [name]: { name: 'x', enabled: 'yes' } }, 'enabled must be true or false.']]),
    ] as readonly [unknown, string][]) {
      const { status, body } = await send('POST', collection, wrong);
      expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(message)]);
    }
    for (const { id } of [made, other]) await send('DELETE', `${collection}/${id}`);
  });

  test('is closed to members, who see at most what is their own', async () => {
    const { id } = await create(collection, name, { name: 'secret', ...values });
    for (const [method, path, payload] of [
      ['GET', collection],
      ['GET', `${collection}/${id}`],
      ['GET', `${collection}/unknown`],
      ['POST', collection, { [name]: { name: 'mine' } }],
      ['PATCH', `${collection}/${id}`, { [name]: { name: 'mine' } }],
      ['DELETE', `${collection}/${id}`],
    ] as const)
      expect((await send(method, path, payload, demo)).status, `${method} ${path}`).toBe(403);
    for (const method of ['GET', 'POST'])
      expect((await send(method, collection, undefined, 'no-token')).status).toBe(401);
    expect((await list(`${collection}?name=mine`)).length).toBe(0);
    await send('DELETE', `${collection}/${id}`);
  });
});

describe('a member', () => {
  test.each([
    ['users', 'demo'],
    ['projects', 'demo'],
    ['domains', 'Default'],
  ])('sees its own of %s', async (collection, name) => {
    const id = await idOf(collection, name);
    expect((await send('GET', `${collection}/${id}`, undefined, demo)).body).toMatchObject({
      [collection.slice(0, -1)]: { name },
    });
  });

  test('sees its own projects, and that there are no groups', async () => {
    const id = await idOf('users', 'demo');
    expect((await send('GET', `users/${id}/projects`, undefined, demo)).body.projects).toMatchObject([
      { name: 'demo' },
    ]);
    expect((await send('GET', `users/${id}/groups`, undefined, demo)).body.groups).toEqual([]);
    const other = await idOf('users', 'admin');
    expect((await send('GET', `users/${other}/projects`, undefined, demo)).status).toBe(403);
  });
});

test('a reader of the system sees everything and changes nothing', async () => {
  const user = await create('users', 'user', { name: 'auditor', password: 'auditor', domain_id: 'default' });
  await send('PUT', `system/users/${user.id}/roles/${await idOf('roles', 'reader')}`);
  const token = await world.token({ name: 'auditor', password: 'auditor' }, { system: { all: true } });
  expect((await list('users', token)).map(({ name }) => name)).toEqual(['admin', 'auditor', 'demo']);
  expect((await send('POST', 'users', { user: { name: 'x' } }, token)).status).toBe(403);
  await send('DELETE', `users/${user.id}`);
});

describe('role assignments', () => {
  let user: Row;
  let project: Row;
  let roles: Readonly<Record<string, string>>;
  const newcomer = { name: 'newcomer', password: 'welcome' };
  beforeAll(async () => {
    user = await create('users', 'user', { ...newcomer, domain_id: 'default' });
    project = await create('projects', 'project', { name: 'place', domain_id: 'default' });
    roles = Object.fromEntries((await list('roles')).map(({ name, id }) => [String(name), id]));
  });

  test('let a user in, and keep it out again at once, with tokens that were issued before', async () => {
    const scope = { project: { id: project.id } };
    const path = `projects/${project.id}/users/${user.id}/roles/${roles.member}`;
    expect((await world.login(newcomer, scope)).statusCode).toBe(401);
    expect((await send('HEAD', path)).status).toBe(404);
    for (const _ of [1, 2]) expect((await send('PUT', path)).status).toBe(204);
    for (const method of ['HEAD', 'GET']) expect((await send(method, path)).status).toBe(204);
    const token = await world.token(newcomer, scope);
    const networks = () => world.request({ url: '/v2.0/networks' }, token);
    expect((await networks()).statusCode).toBe(200);
    expect((await send('GET', `projects/${project.id}/users/${user.id}/roles`)).body.roles).toMatchObject([
      { id: roles.member, name: 'member' },
    ]);
    expect((await send('DELETE', path)).status).toBe(204);
    expect((await networks()).statusCode).toBe(401);
    expect((await send('DELETE', path)).status).toBe(404);
  });

  test('can be made on domains and the system', async () => {
    for (const target of ['domains/default', 'system']) {
      const path = `${target}/users/${user.id}/roles/${roles.reader}`;
      expect((await send('PUT', path)).status).toBe(204);
      expect((await send('GET', path)).status).toBe(204);
    }
    const { body } = await send('GET', `role_assignments?user.id=${user.id}`);
    expect(body.role_assignments).toMatchObject([
      { scope: { domain: { id: 'default' } } },
      { scope: { system: { all: true } } },
    ]);
  });

  test.each([
    ['projects/unknown', 'user', 'member', 'Could not find project: unknown.'],
    ['domains/unknown', 'user', 'member', 'Could not find domain: unknown.'],
    ['projects/project', 'unknown', 'member', 'Could not find user: unknown.'],
    ['projects/project', 'user', 'unknown', 'Could not find role: unknown.'],
  ])('need all their parts: %s %s %s', async (target, who, role, message) => {
    const path = `${target.replace('project/', `${project.id}/`).replace('/project', `/${project.id}`)}/users/${
      who === 'user' ? user.id : who
    }/roles/${roles[role] ?? role}`;
    for (const method of ['PUT', 'DELETE', 'GET'])
      expect(await send(method, path)).toMatchObject({ status: 404, body: { error: { message } } });
    expect((await send('PUT', path, undefined, demo)).status).toBe(403);
  });

  test('are listed with filters, names, and the roles that they imply', async () => {
    const adminId = await idOf('users', 'admin');
    const adminProject = await idOf('projects', 'admin');
    const names = await list(`role_assignments?user.id=${adminId}&include_names`);
    expect(names.map(({ scope }) => Object.keys(scope as object))).toEqual([['domain'], ['project'], ['system']]);
    expect(names[1]).toMatchObject({
      role: { name: 'admin' },
      user: { name: 'admin', domain: { name: 'Default' } },
      scope: { project: { id: adminProject, name: 'admin', domain: { id: 'default' } } },
    });
    const query = `scope.project.id=${adminProject}&effective`;
    const effective = (await list(`role_assignments?${query}`)) as readonly unknown[];
    expect(effective.map((one) => (one as { role: Row }).role.id).sort()).toEqual(
      [roles.admin, roles.manager, roles.member, roles.reader].sort(),
    );
    expect(await list(`role_assignments?${query}&role.id=${roles.reader}`)).toHaveLength(1);
    expect(await list('role_assignments?group.id=x')).toEqual([]);
  });

  test('end with their user, their project and their role', async () => {
    const role = await create('roles', 'role', { name: 'passing' });
    await send('PUT', `projects/${project.id}/users/${user.id}/roles/${role.id}`);
    await send('DELETE', `roles/${role.id}`);
    await send('PUT', `projects/${project.id}/users/${user.id}/roles/${roles.member}`);
    await send('DELETE', `projects/${project.id}`);
    expect((await list(`role_assignments?user.id=${user.id}`)).map(({ scope }) => scope)).toEqual([
      { domain: { id: 'default' } },
      { system: { all: true } },
    ]);
    await send('DELETE', `users/${user.id}`);
    expect(await list(`role_assignments?user.id=${user.id}`)).toEqual([]);
  });
});

describe('the tokens of a user end', () => {
  test.each([
    ['with a new password', (id: string) => send('PATCH', `users/${id}`, { user: { password: 'new' } })],
    ['when it is disabled', (id: string) => send('PATCH', `users/${id}`, { user: { enabled: false } })],
    ['when it is deleted', (id: string) => send('DELETE', `users/${id}`)],
    [
      'when it changes its password itself',
      (id: string) => send('POST', `users/${id}/password`, { user: { original_password: 'old', password: 'new' } }, ''),
    ],
  ])('%s', async (_, end) => {
    const { id } = await create('users', 'user', { name: 'brief', password: 'old', domain_id: 'default' });
    const token = await world.token({ name: 'brief', password: 'old' });
    expect((await send('GET', 'auth/projects', undefined, token)).status).toBe(200);
    expect((await end(id)).status).toBeLessThan(300);
    expect((await send('GET', 'auth/projects', undefined, token)).status).toBe(401);
    await send('PATCH', `users/${id}`, { user: { enabled: true } });
    expect((await send('GET', 'auth/projects', undefined, token)).status).toBe(401);
    await send('DELETE', `users/${id}`);
  });

  test('not with a wrong original password', async () => {
    const id = await idOf('users', 'demo');
    const body = { user: { original_password: 'wrong', password: 'new' } };
    expect((await send('POST', `users/${id}/password`, body, '')).status).toBe(401);
    expect((await send('GET', 'auth/projects', undefined, demo)).status).toBe(200);
  });
});

test.each(['projects', 'domains'])('tokens are refused while their %s are disabled', async (collection) => {
  const domain = await create('domains', 'domain', { name: 'closing' });
  const project = await create('projects', 'project', { name: 'closing', domain_id: domain.id });
  const user = await create('users', 'user', { name: 'closing', password: 'closing', domain_id: 'default' });
  await send('PUT', `projects/${project.id}/users/${user.id}/roles/${await idOf('roles', 'member')}`);
  const token = await world.token({ name: 'closing', password: 'closing' }, { project: { id: project.id } });
  const status = async () => (await world.request({ url: '/v2.0/networks' }, token)).statusCode;
  expect(await status()).toBe(200);
  const path = `${collection}/${(collection === 'projects' ? project : domain).id}`;
  const enable = (enabled: boolean) => send('PATCH', path, { [collection.slice(0, -1)]: { enabled } });
  await enable(false);
  expect(await status()).toBe(401);
  await enable(true);
  expect(await status()).toBe(200);
  await send('PATCH', `domains/${domain.id}`, { domain: { enabled: false } });
  await send('DELETE', `domains/${domain.id}`);
  await send('DELETE', `users/${user.id}`);
});

describe('what holds the rest together', () => {
  test('cannot be removed: roles that policies name, the default domain, enabled domains, projects with others below', async () => {
    const domain = await create('domains', 'domain', { name: 'd' });
    const above = await create('projects', 'project', { name: 'above', domain_id: domain.id });
    const below = await create('projects', 'project', { name: 'below', parent_id: above.id });
    expect(below).toMatchObject({ domain_id: domain.id, parent_id: above.id });
    for (const path of [
      `roles/${await idOf('roles', 'member')}`,
      'domains/default',
      `domains/${domain.id}`,
      `projects/${above.id}`,
    ])
      expect((await send('DELETE', path)).status, path).toBe(403);
    expect((await send('PATCH', `projects/${below.id}`, { project: { domain_id: 'default' } })).status).toBe(400);
    await send('PATCH', `domains/${domain.id}`, { domain: { enabled: false } });
    expect((await send('DELETE', `domains/${domain.id}`)).status).toBe(204);
    expect((await send('GET', `projects/${below.id}`)).status).toBe(404);
  });
});

describe('the catalogue', () => {
  test.each([
    ['services', 'service', 2, 'type=network', 1],
    ['endpoints', 'endpoint', 6, 'interface=public', 2],
    ['regions', 'region', 1, 'x=y', 1],
  ])('lists %s', async (collection, name, all, filter, some) => {
    const rows = await list(collection);
    expect([rows.length, (await list(`${collection}?${filter}`)).length]).toEqual([all, some]);
    expect((await send('GET', `${collection}/${rows[0]?.id}`)).body).toEqual({ [name]: rows[0] });
    expect((await send('GET', `${collection}/unknown`)).status).toBe(404);
    expect((await send('GET', collection, undefined, demo)).status).toBe(403);
  });

  test('says which roles imply which', async () => {
    const { body } = await send('GET', 'role_inferences');
    const found = body.role_inferences as readonly { prior_role: Row; implies: readonly Row[] }[];
    expect(found.map(({ prior_role, implies }) => [prior_role.name, ...implies.map(({ name }) => name)])).toEqual([
      ['admin', 'manager'],
      ['manager', 'member'],
      ['member', 'reader'],
    ]);
  });
});

test('a change is logged in one line: who, what, id, name, status', async () => {
  const { id } = await create('projects', 'project', { name: 'logged', domain_id: 'default' });
  await send('POST', 'projects', { project: { name: 'logged', domain_id: 'default' } });
  const lines = world.logged.slice(-2).map((line) => JSON.parse(line) as Json);
  const who = { user_id: await idOf('users', 'admin'), project_id: await idOf('projects', 'admin') };
  expect(lines).toMatchObject([
    { msg: 'create project', ...who, id, name: 'logged', status: 201 },
    { msg: 'create project refused', ...who, status: 409, error: expect.stringContaining('same name: logged') },
  ]);
  await send('DELETE', `projects/${id}`);
});
