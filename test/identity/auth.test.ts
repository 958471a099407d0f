import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type IdentityWorld, identityWorld, passwordLogin, serverOn } from './world.ts';

let world: IdentityWorld;
beforeAll(async () => {
  world = await identityWorld();
});
afterEach(() => void vi.restoreAllMocks());
afterAll(() => world?.close());

interface TokenBody {
  readonly token: {
    readonly methods: readonly string[];
    readonly user: { readonly id: string; readonly name: string };
    readonly project?: { readonly id: string; readonly name: string };
    readonly roles?: readonly { readonly name: string }[];
    readonly catalog?: readonly { readonly type: string; readonly endpoints: readonly { readonly url: string }[] }[];
    readonly audit_ids: readonly string[];
    readonly expires_at: string;
  };
}

const projectOf = (name: string) => ({ project: { name, domain: { id: 'default' } } });
const UNAUTHORIZED = {
  error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
};
const networks = (token?: string, headers: Record<string, string> = {}) =>
  world.request({ url: '/v2.0/networks', headers }, token);

describe('POST /v3/auth/tokens', () => {
  test('issues a token for the default project, with the roles that others imply and a catalogue', async () => {
    const answer = await world.login(world.admin);
    expect(answer.statusCode).toBe(201);
    const { token } = answer.json<TokenBody>();
    expect(token).toMatchObject({
      methods: ['password'],
      user: { name: 'admin', domain: { id: 'default', name: 'Default' }, password_expires_at: null },
      project: { name: 'admin', domain: { id: 'default', name: 'Default' } },
      is_domain: false,
    });
    expect(token.roles?.map(({ name }) => name)).toEqual(['admin', 'manager', 'member', 'reader']);
    expect(token.catalog?.map(({ type, endpoints }) => [type, endpoints.map(({ url }) => url)])).toEqual([
      ['network', Array.from({ length: 3 }, () => 'http://localhost:80')],
      ['identity', Array.from({ length: 3 }, () => 'http://localhost:80/identity/v3')],
    ]);
    expect(token.expires_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  test.each([
    ['a project', projectOf('demo'), { project: { name: 'demo' } }],
    ['no scope', 'unscoped', {}],
    ['no scope, as an object', { unscoped: {} }, {}],
  ])('scopes the token of a member to %s', async (_, scope, expected) => {
    const { token } = (await world.login(world.demo, scope)).json<TokenBody>();
    expect(token).toMatchObject(expected);
    if (!('project' in expected)) expect(Object.keys(token)).not.toEqual(expect.arrayContaining(['project']));
    expect(token.roles?.map(({ name }) => name)).toEqual('project' in expected ? ['member', 'reader'] : undefined);
  });

  test.each([
    ['a domain', { domain: { name: 'Default' } }, { domain: { id: 'default' } }],
    ['the system', { system: { all: true } }, { system: { all: true } }],
  ])('scopes the token of an administrator to %s', async (_, scope, expected) => {
    expect((await world.login(world.admin, scope)).json<TokenBody>().token).toMatchObject(expected);
  });

  const wrong = { name: 'admin', password: 'wrong' };
  test.each([
    ['a wrong password', () => passwordLogin(wrong)],
    ['an unknown user', () => passwordLogin({ name: 'nobody', password: 'x' })],
    ['an unknown domain', () => withUser({ name: 'admin', domain: { name: 'x' }, password: world.admin.password })],
    ['an unknown user id', () => withUser({ id: 'x', password: world.admin.password })],
    ['an unknown project', () => passwordLogin(world.admin, projectOf('nowhere'))],
    ['a project without a role', () => passwordLogin(world.demo, projectOf('admin'))],
    ['the system without a role', () => passwordLogin(world.demo, { system: { all: true } })],
    ['an unknown method', () => ({ auth: { identity: { methods: ['totp'], totp: {} } } })],
    ['an inherited name as method', () => ({ auth: { identity: { methods: ['constructor'] } } })],
    ['a token that is none', () => ({ auth: { identity: { methods: ['token'], token: { id: 'x' } } } })],
  ])('refuses %s with the same 401', async (_, body) => {
    const answer = await world.request({ method: 'POST', url: '/identity/v3/auth/tokens', payload: body() });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toEqual(UNAUTHORIZED);
    expect(answer.headers['www-authenticate']).toBe('Keystone uri="http://localhost:80/identity/v3"');
    expect(answer.headers).not.toHaveProperty('x-subject-token');
  });
  const withUser = (user: object) => ({ auth: { identity: { methods: ['password'], password: { user } } } });

  test.each([
    ['{', 'Body contains invalid data'],
    ['', 'The body must be an object.'],
    ['[]', 'The body must be an object.'],
    ['{"auth":1}', 'auth must be an object.'],
    ['{"auth":{"identity":{"methods":[]}}}', 'methods must be a list of at least one method.'],
    [
      '{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"a"}}}}}',
      'password is a required property.',
    ],
    [
      '{"auth":{"identity":{"methods":["password"],"password":{"user":{"password":"a"}}}}}',
      'user must have an id, or a name and a domain.',
    ],
    [
      '{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":1,"password":"a"}}}}}',
      'id must be a string.',
    ],
  ])('answers a malformed body with 400: %s', async (payload, message) => {
    const answer = await world.request({ method: 'POST', url: '/identity/v3/auth/tokens', payload });
    expect([answer.statusCode, answer.json()]).toEqual([400, { error: { code: 400, title: 'Bad Request', message } }]);
  });

  test('slows down the guessing of a password, and also refuses the right one meanwhile', async () => {
    const guess = () => world.login({ name: 'demo', password: 'guess' });
    const codes = [];
    for (let nth = 0; nth < 12; nth++) codes.push((await guess()).statusCode);
    expect(codes).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    const late = await world.login(world.demo);
    expect(late.statusCode).toBe(429);
    expect(Number(late.headers['retry-after'])).toBeGreaterThan(0);
    const elsewhere = await world.request({
      ...{ method: 'POST', url: '/identity/v3/auth/tokens', payload: passwordLogin(world.demo) },
      remoteAddress: '192.0.2.77',
    });
    expect(elsewhere.statusCode).toBe(201);
  });
});

describe('a token', () => {
  beforeEach(() => {
    // The throttled member may log in again.
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3_600_000);
  });

  const validate = (caller: string, subject: string, method: 'GET' | 'HEAD' | 'DELETE' = 'GET') =>
    world.request({ method, url: '/identity/v3/auth/tokens', headers: { 'x-subject-token': subject } }, caller);

  test('opens the networking API as its user, in its project', async () => {
    const token = await world.token(world.admin);
    const { body } = await world.request(
      { method: 'POST', url: '/v2.0/networks', payload: { network: { name: 'n' } } },
      token,
    );
    const { project } = (await validate(token, token)).json<TokenBody>().token;
    expect(JSON.parse(body)).toMatchObject({ network: { name: 'n', project_id: project?.id } });
    expect(await world.provider.identify({ 'x-auth-token': token })).toMatchObject({
      projectId: project?.id,
      domainId: '',
      userDomainId: 'default',
      projectDomainId: 'default',
      roles: ['admin', 'manager', 'member', 'reader'],
      systemScope: false,
      serviceRoles: [],
    });
  });

  test('is required, and must be one of ours', async () => {
    for (const token of [undefined, '', 'x', `${await world.token(world.admin)}x`])
      expect((await networks(token)).json()).toEqual(UNAUTHORIZED);
  });

  test('of a service adds its roles; an invalid one is refused', async () => {
    const token = await world.token(world.admin);
    const identify = (service: string) =>
      world.provider.identify({ 'x-auth-token': token, 'x-service-token': service });
    expect(await identify(await world.token(world.admin))).toMatchObject({
      serviceRoles: ['admin', 'manager', 'member', 'reader'],
    });
    await expect(identify('x')).rejects.toThrow('requires authentication');
  });

  test('can be exchanged for one with another scope, which expires at the same time', async () => {
    const first = await world.login(world.admin, 'unscoped');
    const { token } = first.json<TokenBody>();
    const id = String(first.headers['x-subject-token']);
    const payload = { auth: { identity: { methods: ['token'], token: { id } }, scope: projectOf('admin') } };
    const second = await world.request({ method: 'POST', url: '/identity/v3/auth/tokens', payload });
    const { token: other } = second.json<TokenBody>();
    expect(other.expires_at).toBe(token.expires_at);
    expect(other.methods).toEqual(['token', 'password']);
    expect(other.audit_ids).toEqual([expect.any(String), token.audit_ids[0]]);
    expect(other.project?.name).toBe('admin');
  });

  test('is validated for its holder and for administrators, for nobody else', async () => {
    const [admin, demo] = [await world.token(world.admin), await world.token(world.demo)];
    const seen = await validate(admin, demo);
    expect([seen.statusCode, seen.headers['x-subject-token']]).toEqual([200, demo]);
    expect(seen.json<TokenBody>().token.user.name).toBe('demo');
    expect((await validate(demo, demo, 'HEAD')).statusCode).toBe(200);
    expect((await validate(demo, admin)).statusCode).toBe(403);
    expect((await validate(demo, 'x')).statusCode).toBe(403);
    expect((await validate(admin, 'x')).statusCode).toBe(404);
    expect((await validate(demo, admin, 'DELETE')).statusCode).toBe(403);
    expect((await networks(admin)).statusCode).toBe(200);
  });

  test('is validated for services, which cannot revoke it', async () => {
    const [admin, demo] = [await world.token(world.admin), await world.token(world.demo)];
    const as = (method: 'POST' | 'PUT' | 'GET', url: string, payload?: object) =>
      world.request({ method, url: `/identity/v3/${url}`, ...(payload ? { payload } : {}) }, admin);
    const idOf = async (collection: string, name: string) => {
      const answer = await as('GET', `${collection}?name=${name}`);
      return (answer.json() as Record<string, readonly { id: string }[]>)[collection]?.[0]?.id;
    };
    const nova = { name: 'nova', password: 'nova' };
    await as('POST', 'users', { user: nova });
    const project = await idOf('projects', 'service');
    await as('PUT', `projects/${project}/users/${await idOf('users', 'nova')}/roles/${await idOf('roles', 'service')}`);
    const service = await world.token(nova, projectOf('service'));
    expect((await validate(service, demo)).statusCode).toBe(200);
    expect((await validate(service, demo, 'DELETE')).statusCode).toBe(403);
  });

  test('that is revoked is refused at once; others of the same user are not', async () => {
    const [one, other] = [await world.token(world.admin), await world.token(world.admin)];
    expect((await networks(one)).statusCode).toBe(200);
    expect((await validate(other, one, 'DELETE')).statusCode).toBe(204);
    expect((await networks(one)).statusCode).toBe(401);
    expect((await validate(other, one)).statusCode).toBe(404);
    expect((await networks(other)).statusCode).toBe(200);
  });

  test('expires', async () => {
    const token = await world.token(world.admin);
    expect((await networks(token)).statusCode).toBe(200);
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now');
    clock.mockReturnValue(now + 3_590_000);
    expect((await networks(token)).statusCode).toBe(200);
    clock.mockReturnValue(now + 3_600_000);
    expect((await networks(token)).statusCode).toBe(401);
  });

  test('is valid on every server of the database, and refused there within a second of its revocation', async () => {
    const other = await serverOn(world.core);
    const there = (token: string) => other.app.inject({ url: '/v2.0/networks', headers: { 'x-auth-token': token } });
    const [token, admin] = [await world.token(world.admin), await world.token(world.admin)];
    expect((await there(token)).statusCode).toBe(200);
    await validate(admin, token, 'DELETE');
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_000);
    expect((await there(token)).statusCode).toBe(401);
    expect((await there(admin)).statusCode).toBe(200);
    await other.app.close();
  });

  test('leaves no trace in the log, nor does a password', async () => {
    const secrets = [world.admin.password, world.demo.password, 'guess', await world.token(world.admin)];
    expect(world.logged.join('')).toContain('issue token');
    for (const secret of secrets) expect(world.logged.filter((line) => line.includes(secret))).toEqual([]);
  });
});

describe('what a token can be used for', () => {
  test('is listed: projects, domains, system, catalogue', async () => {
    const token = await world.token(world.admin);
    const get = async (what: string) => (await world.request({ url: `/identity/v3/auth/${what}` }, token)).json();
    expect(await get('projects')).toMatchObject({ projects: [{ name: 'admin', domain_id: 'default', enabled: true }] });
    expect(await get('domains')).toMatchObject({ domains: [{ id: 'default', name: 'Default' }] });
    expect(await get('system')).toMatchObject({ system: [{ all: true }] });
    expect(await get('catalog')).toMatchObject({ catalog: [{ type: 'network' }, { type: 'identity' }] });
  });
});

describe('discovery', () => {
  test.each([
    ['/identity', 300, ['versions', 'values', 0]],
    ['/identity/', 300, ['versions', 'values', 0]],
    ['/identity/v3', 200, ['version']],
    ['/identity/v3/', 200, ['version']],
  ] as const)('needs no token on %s', async (url, status, path) => {
    const answer = await world.request({ url, headers: { host: 'neutrino.example.org:9696' } });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toHaveProperty([...path, 'id'], 'v3.14');
    expect(answer.json()).toHaveProperty(
      [...path, 'links', 0, 'href'],
      'http://neutrino.example.org:9696/identity/v3/',
    );
  });

  test('refuses a Host header that is no host', async () => {
    const answer = await world.request({ url: '/identity/v3', headers: { host: 'a"b/c' } });
    expect(answer.statusCode).toBe(400);
  });
});
