import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Headers, IdentityProvider } from '../../../src/auth/contract.ts';
import { keystone as keystoneProvider } from '../../../src/auth/keystone/provider.ts';
import type { Config } from '../../../src/config/options.ts';
import { pause } from '../../../src/time/pause.ts';
import { waitFor } from '../../../src/time/wait.ts';
import { configWith } from '../../support/core.ts';
import { type Keystone, keystoneObstacle, startKeystone } from '../../support/keystone.ts';
import type { Account } from '../../support/keystone-accounts.ts';
import { KeystoneFront } from './front.ts';

const obstacle = keystoneObstacle();
/** Longer than a token of the short-lived Keystone lives. */
const LIFE_S = 6;

describe.skipIf(obstacle)(`auth_strategy = keystone${obstacle ? ` (skipped: ${obstacle})` : ''}`, () => {
  let keystone: Keystone;
  let front: KeystoneFront;
  let neutron: Account;
  let ann: Account;
  const providers: IdentityProvider[] = [];
  let log = '';

  beforeAll(async () => {
    keystone = await startKeystone({ conf: { token: { allow_expired_window: 3600 } } });
    front = await KeystoneFront.start(keystone.url);
    neutron = await keystone.accounts.account('services', ['service'], 'neutron');
    ann = await keystone.accounts.account('p1', ['Member', 'auditor'], 'ann');
  });
  beforeEach(() => {
    front.reset();
    log = '';
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.log(`${log}${keystone.log.slice(-3000)}`);
    for (const one of providers.splice(0)) await one.close?.();
  });
  afterAll(async () => {
    front?.close();
    await keystone?.dispose();
  });

  function provider(options: Partial<Config['keystone_authtoken']> = {}): IdentityProvider {
    const config = configWith({
      DEFAULT: { auth_strategy: 'keystone' },
      keystone_authtoken: {
        auth_url: front.url,
        www_authenticate_uri: 'https://keystone.example.org/v3',
        username: neutron.user,
        password: neutron.password,
        project_name: neutron.project,
        // Not in the catalogue, whose URLs lead past the front.
        interface: 'admin',
        http_request_max_retries: 0,
        ...options,
      },
    });
    const write = (line: string) => {
      log += line;
    };
    const made = keystoneProvider({ config, log: pino({ level: 'debug' }, { write }) });
    providers.push(made);
    return made;
  }

  const as = (token: string, more: Headers = {}): Headers => ({ 'x-auth-token': token, ...more });
  const isIdentified = async (one: IdentityProvider, token: string): Promise<boolean> => {
    try {
      await one.identify(as(token));
      return true;
    } catch {
      return false;
    }
  };
  const REJECTED = { name: 'Unauthorized', challenge: 'Keystone uri="https://keystone.example.org/v3"' };
  const AWAY = { name: 'ServiceUnavailable', status: 503 };

  it('identifies the author of a token: user, project, domains and roles in lower case', async () => {
    const one = provider();
    expect(await one.identify(as(await keystone.accounts.token(ann)))).toEqual({
      userId: ann.userId,
      projectId: ann.projectId,
      domainId: '',
      userDomainId: 'default',
      projectDomainId: 'default',
      roles: expect.arrayContaining(['member', 'auditor']),
      systemScope: false,
      serviceRoles: [],
    });
  });

  it('knows tokens without a project, for the system and for a domain', async () => {
    const one = provider();
    const unscoped = await keystone.accounts.token({ user: ann.user, password: ann.password });
    expect(await one.identify(as(unscoped))).toMatchObject({ userId: ann.userId, projectId: '', roles: [] });
    const system = await keystone.accounts.adminToken({ system: true });
    expect(await one.identify(as(system))).toMatchObject({ projectId: '', systemScope: true });
    const { userId } = ann;
    const [role] = (await keystone.accounts.admin('GET', 'roles?name=member')).roles as { id: string }[];
    await keystone.accounts.admin('PUT', `domains/default/users/${userId}/roles/${role?.id}`);
    const domain = await keystone.accounts.token({ user: ann.user, password: ann.password, domain: 'default' });
    expect(await one.identify(as(domain))).toMatchObject({
      projectId: '',
      domainId: 'default',
      roles: expect.arrayContaining(['member']),
    });
  });

  it.each<[string, Headers]>([
    ['no token', {}],
    ['an empty token', { 'x-auth-token': '' }],
    ['an invented token', { 'x-auth-token': 'invented' }],
    ['two tokens', { 'x-auth-token': 'one, two' }],
    ['a token of 9,000 characters', { 'x-auth-token': 'x'.repeat(9000) }],
    ['a token with control characters', { 'x-auth-token': 'one\r\nx-subject-token: two' }],
    [
      'forged headers of Keystone’s middleware',
      { 'x-user-id': 'admin', 'x-roles': 'admin', 'x-identity-status': 'Confirmed' },
    ],
  ])('rejects %s', async (_, headers) => {
    await expect(provider().identify(headers)).rejects.toMatchObject(REJECTED);
  });

  it('asks once about a token, however many requests have it, and about an invented one', async () => {
    const one = provider();
    const token = await keystone.accounts.token(ann);
    await Promise.all(Array.from({ length: 50 }, () => one.identify(as(token))));
    await one.identify(as(token));
    expect(front.validations).toBe(1);
    const invented = () => expect(one.identify(as('invented'))).rejects.toMatchObject(REJECTED);
    await Promise.all([invented(), invented()]);
    await invented();
    expect(front.validations).toBe(2);
    expect(front.logins).toBe(1);
  });

  it('asks every time with token_cache_time = -1, and rejects a token as soon as it is revoked', async () => {
    const one = provider({ token_cache_time: -1 });
    const token = await keystone.accounts.token(ann);
    await one.identify(as(token));
    await one.identify(as(token));
    expect(front.validations).toBe(2);
    await keystone.accounts.revoke(token);
    await expect(one.identify(as(token))).rejects.toMatchObject(REJECTED);
  });

  it('rejects a revoked token after token_cache_time at the latest', async () => {
    const one = provider({ token_cache_time: 1 });
    const token = await keystone.accounts.token(ann);
    await one.identify(as(token));
    await keystone.accounts.revoke(token);
    const rejected = async () => !(await isIdentified(one, token));
    await waitFor('the revoked token to be rejected', rejected, 10_000);
    await expect(one.identify(as(token))).rejects.toMatchObject(REJECTED);
  });

  it('rejects a user that was disabled', async () => {
    const one = provider({ token_cache_time: -1 });
    const bob = await keystone.accounts.account('p2', ['member'], 'bob');
    const token = await keystone.accounts.token(bob);
    await one.identify(as(token));
    await keystone.accounts.admin('PATCH', `users/${bob.userId}`, { user: { enabled: false } });
    await expect(one.identify(as(token))).rejects.toMatchObject(REJECTED);
  });

  it('rejects a token that is limited to some requests, which it could not enforce', async () => {
    const { userId: user, projectId } = ann;
    const rule = { path: '/v2.1/servers', method: 'GET', service: 'compute' };
    const credential = async (name: string, access_rules?: readonly (typeof rule)[]): Promise<string> => {
      const made = await fetch(`${keystone.url}/users/${user}/application_credentials`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-auth-token': await keystone.accounts.token(ann) },
        body: JSON.stringify({
          application_credential: { name, project_id: projectId, ...(access_rules && { access_rules }) },
        }),
      });
      const { id, secret } = ((await made.json()) as { application_credential: { id: string; secret: string } })
        .application_credential;
      const login = await fetch(`${keystone.url}/auth/tokens`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } },
        }),
      });
      return login.headers.get('x-subject-token') ?? '';
    };
    const one = provider();
    expect(await one.identify(as(await credential('free')))).toMatchObject({ userId: user, projectId });
    await expect(one.identify(as(await credential('limited', [rule])))).rejects.toMatchObject(REJECTED);
  });

  it('says which roles the service has that passes on a request', async () => {
    const token = await keystone.accounts.token(ann);
    const service = await keystone.accounts.token(neutron);
    const one = provider();
    expect(await one.identify(as(token, { 'x-service-token': service }))).toMatchObject({
      userId: ann.userId,
      serviceRoles: ['service'],
    });
    await expect(one.identify(as(token, { 'x-service-token': 'invented' }))).rejects.toMatchObject(REJECTED);
    expect((await one.identify(as(token, { 'x-service-token': token }))).serviceRoles).toContain('auditor');
    const strict = provider({ service_token_roles_required: true });
    await expect(strict.identify(as(token, { 'x-service-token': token }))).rejects.toMatchObject(REJECTED);
  });

  it('replaces the token of its own user when Keystone no longer accepts it', async () => {
    const one = provider({ token_cache_time: -1 });
    const token = await keystone.accounts.token(ann);
    await one.identify(as(token));
    const { accounts } = keystone;
    // Changing the password revokes every token of the user; the same password again needs another one in between.
    await accounts.admin('PATCH', `users/${neutron.userId}`, { user: { password: 'between' } });
    await accounts.admin('PATCH', `users/${neutron.userId}`, { user: { password: neutron.password } });
    // Keystone compares seconds: it also revokes a token that it issues in the second of the change.
    const accepted = async () => isIdentified(one, token);
    expect(await waitFor('a login after the second of the change', accepted, 10_000)).toBe(true);
    expect(front.logins).toBeGreaterThan(1);
  });

  it('answers 503 while Keystone is stopped, except for tokens that it knows, and goes on once it runs again', async () => {
    const one = provider();
    const [known, unknown] = [await keystone.accounts.token(ann), await keystone.accounts.token(ann)];
    await one.identify(as(known));
    await keystone.stop();
    expect(await one.identify(as(known))).toMatchObject({ userId: ann.userId });
    for (let i = 0; i < 3; i += 1) await expect(one.identify(as(unknown))).rejects.toMatchObject(AWAY);
    await keystone.start();
    expect(await one.identify(as(unknown))).toMatchObject({ userId: ann.userId });
    const errors = log.split('\n').filter((line) => line.includes('"level":50'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/Keystone at \S+ cannot be reached: .*; requests are answered with 503/);
    expect(log).toContain('Keystone answers again');
  });

  it('repeats a request when a connection is lost, as often as http_request_max_retries says', async () => {
    const token = await keystone.accounts.token(ann);
    const one = provider({ http_request_max_retries: 2 });
    await one.identify(as(await keystone.accounts.token(ann)));
    let failures = 2;
    front.answer = (_, response) => {
      failures -= 1;
      if (failures === 0) front.answer = undefined;
      response.destroy();
    };
    expect(await one.identify(as(token))).toMatchObject({ userId: ann.userId });
    front.answer = (_, response) => response.writeHead(503).end();
    front.seen.length = 0;
    await expect(one.identify(as('another'))).rejects.toMatchObject(AWAY);
    expect(front.validations).toBe(3);
  });

  it('answers 503 when Keystone accepts the connection and says nothing', async () => {
    const patient = provider({ token_cache_time: -1 });
    const token = await keystone.accounts.token(ann);
    await patient.identify(as(token));
    await keystone.freeze();
    const hasty = provider({ http_connect_timeout: 1, token_cache_time: -1 });
    await expect(hasty.identify(as(token))).rejects.toMatchObject(AWAY);
    expect(log).toMatch(/Keystone at \S+ does not answer within 1 s/);
    const late = patient.identify(as(token));
    await keystone.thaw();
    expect(await late).toMatchObject({ userId: ann.userId });
  });

  it.each<[string, number, string]>([
    ['a page', 200, '<html>welcome</html>'],
    ['half of a document', 200, '{"token": {"user": {'],
    [
      'a document without a user',
      200,
      '{"token": {"expires_at": "2099-01-01T00:00:00Z", "roles": [{"name": "admin"}]}}',
    ],
    ['a token without an end', 200, '{"token": {"user": {"id": "u"}}}'],
    ['a list', 200, '[]'],
    ['nothing', 204, ''],
    ['a redirect', 302, ''],
    ['404 of a web server', 404, '<html>not here</html>'],
    ['a rejection of its own user', 403, '{"error": {"code": 403, "message": "no", "title": "Forbidden"}}'],
    ['an endless document', 200, `"${'x'.repeat(2_000_000)}"`],
  ])('lets nobody in when Keystone answers with %s', async (_, status, body) => {
    const one = provider({ token_cache_time: -1 });
    const token = await keystone.accounts.token(ann);
    await one.identify(as(token));
    front.answer = (_request, response) => response.writeHead(status, { location: keystone.url }).end(body);
    await expect(one.identify(as(token))).rejects.toMatchObject(AWAY);
    expect(log).toContain('requests are answered with 503');
  });

  it('logs at the start that its own user cannot log in, and does not try again at once', async () => {
    const one = provider({ password: 'wrong-password' });
    for (let i = 0; i < 3; i += 1)
      await expect(one.identify(as(await keystone.accounts.token(ann)))).rejects.toMatchObject(AWAY);
    expect(front.logins).toBe(1);
    expect(log).toMatch(/rejects the login of user 'neutron': check user, password, project/);
    expect(log).not.toContain('wrong-password');
  });

  it('validates at the endpoint of the catalogue that interface and region_name select', async () => {
    const { accounts, region } = keystone;
    const [service] = (await accounts.admin('GET', 'services?type=identity')).services as { id: string }[];
    const url = front.url.replace('/v3', '');
    const endpoint = { service_id: service?.id, interface: 'admin', region_id: region, url };
    const made = await accounts.admin('POST', 'endpoints', { endpoint });
    const one = provider({ auth_url: keystone.url.replace('/v3', ''), region_name: region });
    expect(await one.identify(as(await accounts.token(ann)))).toMatchObject({ userId: ann.userId });
    expect([front.logins, front.validations]).toEqual([0, 1]);
    expect(log).not.toContain('catalogue');
    const elsewhere = provider({ auth_url: keystone.url, region_name: 'elsewhere' });
    await elsewhere.identify(as(await accounts.token(ann)));
    expect(front.validations).toBe(1);
    expect(log).toContain("Keystone's catalogue has no admin identity endpoint in region elsewhere");
    await accounts.admin('DELETE', `endpoints/${(made.endpoint as { id: string }).id}`);
  });

  describe('where tokens live for seconds', () => {
    let brief: Keystone;
    beforeAll(async () => {
      brief = await startKeystone({ conf: { token: { expiration: LIFE_S, allow_expired_window: 3600 } } });
      const account = await brief.accounts.account('services', ['service'], 'neutron');
      Object.assign(briefUser, { username: 'neutron', password: account.password });
    });
    afterAll(() => brief?.dispose());
    const briefUser: Partial<Config['keystone_authtoken']> = {};

    it('rejects an expired token that it has cached, unless a service passes it on', async () => {
      const { accounts } = brief;
      const one = provider({ auth_url: brief.url, project_name: 'services', ...briefUser });
      const eve = await accounts.account('p1', ['member'], 'eve');
      const token = await accounts.token(eve);
      await one.identify(as(token));
      await pause(LIFE_S * 1000 + 500);
      await expect(one.identify(as(token))).rejects.toMatchObject(REJECTED);
      const service = await accounts.token({
        user: 'neutron',
        project: 'services',
        password: String(briefUser.password),
      });
      expect(await one.identify(as(token, { 'x-service-token': service }))).toMatchObject({ userId: eve.userId });
      // Without the role, a service cannot revive it.
      const fresh = await accounts.token(eve);
      await expect(one.identify(as(token, { 'x-service-token': fresh }))).rejects.toMatchObject(REJECTED);
      // What was found out on behalf of a service holds for nobody else.
      await expect(one.identify(as(token))).rejects.toMatchObject(REJECTED);
      expect(await one.identify(as(fresh))).toMatchObject({ userId: eve.userId });
    });

    it('replaces the token of its own user when it ends: no request is lost', async () => {
      const { accounts } = brief;
      const before = await KeystoneFront.start(brief.url);
      try {
        const one = provider({ auth_url: before.url, project_name: 'services', ...briefUser });
        const eve = await accounts.account('p1', ['member'], 'eva');
        for (const begin = performance.now(); performance.now() < begin + LIFE_S * 1500; )
          await one.identify(as(await accounts.token(eve)));
        expect(before.logins).toBeGreaterThan(1);
      } finally {
        before.close();
      }
    });
  });
});
