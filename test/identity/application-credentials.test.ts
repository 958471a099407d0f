import type { InjectOptions } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type IdentityWorld, identityWorld } from './world.ts';

let world: IdentityWorld;
let admin: string;
let adminId: string;
beforeAll(async () => {
  world = await identityWorld();
  const answer = await world.login(world.admin);
  admin = String(answer.headers['x-subject-token']);
  adminId = (answer.json() as { token: { user: { id: string } } }).token.user.id;
});
afterEach(() => void vi.restoreAllMocks());
afterAll(() => world?.close());

interface Credential {
  readonly id: string;
  readonly secret: string;
  readonly roles: readonly { readonly name: string }[];
}

async function send(method: string, path: string, payload?: unknown, token = admin) {
  const options = {
    method,
    url: `/identity/v3/${path}`,
    ...(payload === undefined ? {} : { payload }),
  } as InjectOptions;
  const { statusCode, body, headers } = await world.request(options, token);
  return { status: statusCode, body: (body === '' ? {} : JSON.parse(body)) as Record<string, unknown>, headers };
}
const path = () => `users/${adminId}/application_credentials`;
const create = async (values: object): Promise<Credential> => {
  const { status, body } = await send('POST', path(), { application_credential: values });
  expect(status, JSON.stringify(body)).toBe(201);
  return body.application_credential as Credential;
};
const login = (credential: object, scope?: unknown) =>
  send('POST', 'auth/tokens', {
    auth: {
      identity: { methods: ['application_credential'], application_credential: credential },
      ...(scope === undefined ? {} : { scope }),
    },
  });
const status = async (token: string) => (await world.request({ url: '/v2.0/networks' }, token)).statusCode;

describe('an application credential', () => {
  test('logs in as its user, in its project, with its roles alone', async () => {
    const made = await create({ name: 'reading', roles: [{ name: 'reader' }] });
    expect(made).toMatchObject({ name: 'reading', unrestricted: false, expires_at: null, roles: [{ name: 'reader' }] });
    expect(made.secret).toMatch(/^[\w-]{43}$/);
    for (const by of [{ id: made.id }, { name: 'reading', user: { id: adminId } }]) {
      const { status: code, body, headers } = await login({ ...by, secret: made.secret });
      expect(code).toBe(201);
      expect(body.token).toMatchObject({
        ...{ methods: ['application_credential'], user: { id: adminId }, project: { name: 'admin' } },
        ...{ application_credential: { id: made.id, name: 'reading', restricted: true }, roles: [{ name: 'reader' }] },
      });
      const token = String(headers['x-subject-token']);
      expect(await world.provider.identify({ 'x-auth-token': token })).toMatchObject({ roles: ['reader'] });
      expect((await send('GET', 'users', undefined, token)).status).toBe(403);
    }
  });

  test('shows its secret only once', async () => {
    const { id, secret } = await create({ name: 'secret', secret: 'chosen' });
    expect(secret).toBe('chosen');
    const shown = await send('GET', `${path()}/${id}`);
    expect(shown).toMatchObject({ status: 200, body: { application_credential: { id, name: 'secret' } } });
    const listed = await send('GET', `${path()}?name=secret`);
    expect(JSON.stringify([shown.body, listed.body])).not.toContain('chosen');
    expect(listed.body.application_credentials).toMatchObject([{ id }]);
  });

  test.each([
    ['a wrong secret', (one: Credential) => login({ id: one.id, secret: 'wrong' })],
    ['an unknown id', (one: Credential) => login({ id: 'unknown', secret: one.secret })],
    ['an unknown name', (one: Credential) => login({ name: 'unknown', user: { id: adminId }, secret: one.secret })],
    ['a scope', (one: Credential) => login(one, { system: { all: true } })],
  ])('is refused with %s', async (name, attempt) => {
    const one = await create({ name });
    expect((await attempt(one)).status).toBe(401);
  });

  test('cannot be exchanged for another scope, nor make further ones unless it is unrestricted', async () => {
    const tokenOf = async (one: Credential) => String((await login(one)).headers['x-subject-token']);
    const [restricted, unrestricted] = [
      await tokenOf(await create({ name: 'restricted' })),
      await tokenOf(await create({ name: 'unrestricted', unrestricted: true })),
    ];
    for (const id of [restricted, unrestricted]) {
      const auth = { identity: { methods: ['token'], token: { id } }, scope: { system: { all: true } } };
      expect((await send('POST', 'auth/tokens', { auth })).status).toBe(401);
    }
    const body = (name: string) => ({ application_credential: { name } });
    expect((await send('POST', path(), body('one'), restricted)).status).toBe(403);
    expect((await send('POST', path(), body('two'), unrestricted)).status).toBe(201);
  });

  test('ends with its deletion, its expiry, and the roles of its user', async () => {
    const tokenOf = async (values: object) => {
      const one = await create(values);
      return { one, token: String((await login(one)).headers['x-subject-token']) };
    };
    const expiry = new Date(Date.now() + 60_000).toISOString();
    const [deleted, expiring, kept] = [
      await tokenOf({ name: 'deleted' }),
      await tokenOf({ name: 'expiring', expires_at: expiry }),
      await tokenOf({ name: 'kept' }),
    ];
    for (const { token } of [deleted, expiring, kept]) expect(await status(token)).toBe(200);
    expect((await send('DELETE', `${path()}/${deleted.one.id}`)).status).toBe(204);
    expect(await status(deleted.token)).toBe(401);
    expect((await login(deleted.one)).status).toBe(401);
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
    expect(await status(expiring.token)).toBe(401);
    expect((await login(expiring.one)).status).toBe(401);
    expect(await status(kept.token)).toBe(200);
  });

  test.each([
    [{}, 'name is a required property.'],
    [{ name: 'x', roles: [] }, 'roles must be a list of at least one role.'],
    [{ name: 'x', roles: [{ name: 'service' }] }, 'The role service is none that you have on the project.'],
    [{ name: 'x', roles: [1] }, 'Each of the roles must be an object.'],
    [{ name: 'x', expires_at: '2001-01-01T00:00:00Z' }, 'expires_at must be a time in the future'],
    [{ name: 'x', expires_at: 'soon' }, 'expires_at must be a time in the future'],
    [{ name: 'x', unrestricted: 1 }, 'unrestricted must be true or false.'],
  ])('is refused if malformed: %j', async (values, message) => {
    const { status: code, body } = await send('POST', path(), { application_credential: values });
    expect([code, JSON.stringify(body)]).toEqual([400, expect.stringContaining(message)]);
  });

  test('is closed to others, and its name is taken for its user', async () => {
    const one = await create({ name: 'mine' });
    expect((await send('POST', path(), { application_credential: { name: 'mine' } })).status).toBe(409);
    const demo = await world.token(world.demo);
    for (const [method, where] of [
      ['GET', path()],
      ['POST', path()],
      ['GET', `${path()}/${one.id}`],
      ['DELETE', `${path()}/${one.id}`],
    ] as const)
      expect((await send(method, where, { application_credential: { name: 'x' } }, demo)).status, method).toBe(403);
    expect((await send('GET', `users/${adminId}x/application_credentials/${one.id}`)).status).toBe(404);
    const unscoped = await world.token(world.admin, 'unscoped');
    const body = { application_credential: { name: 'unscoped' } };
    expect((await send('POST', path(), body, unscoped)).status).toBe(400);
  });
});
