import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IdentityProvider } from '../../src/auth/contract.ts';
import { noauth } from '../../src/auth/noauth.ts';
import { Policy } from '../../src/auth/policy.ts';
import { identityProvider } from '../../src/auth/providers.ts';
import { Unauthorized } from '../../src/auth/unauthorized.ts';
import { openCore, type TestCore } from '../support/core.ts';
import { apiOf, servicesOf } from '../support/services.ts';

describe('noauth', () => {
  test('makes every caller an administrator of the project in its headers', async () => {
    const identity = await noauth.identify({});
    expect(new Policy([]).callerOf(identity, 'req-1')).toMatchObject({
      projectId: 'fake_project_id',
      isAdmin: true,
      requestId: 'req-1',
    });
    expect(await noauth.identify({ 'x-project-id': 'p', 'x-user-id': 'u' })).toMatchObject({
      projectId: 'p',
      userId: 'u',
    });
    expect(await noauth.identify({ 'x-tenant-id': 't' })).toMatchObject({ projectId: 't' });
  });

  test('rejects ids that no column can store', () => {
    for (const header of ['x-project-id', 'x-user-id'])
      expect(() => noauth.identify({ [header]: 'x'.repeat(256) })).toThrow('more than the 255 allowed');
  });
});

describe('auth_strategy', () => {
  let core: TestCore;
  beforeAll(async () => {
    core = await openCore();
  });
  afterAll(() => core.dispose());
  const chosen = (auth_strategy: string) =>
    identityProvider({ ...core, config: { ...core.config, DEFAULT: { ...core.config.DEFAULT, auth_strategy } } });

  test('selects the provider', async () => {
    expect(await chosen('noauth')).toBe(noauth);
  });

  test('is rejected if unknown, with the names of all providers', async () => {
    for (const auth_strategy of ['keycloak', 'constructor', ''])
      await expect(chosen(auth_strategy)).rejects.toThrow(
        `[DEFAULT] auth_strategy: '${auth_strategy}' is none of noauth`,
      );
  });
});

describe('a request that the provider refuses', () => {
  const refusing: IdentityProvider = {
    identify: () => {
      throw new Unauthorized('http://keystone:5000/v3"\r\nx: y');
    },
  };
  let core: TestCore;
  let app: FastifyInstance;
  beforeAll(async () => {
    core = await openCore();
    app = apiOf(core, servicesOf(core), core.log, refusing);
  });
  afterAll(async () => {
    await app.close();
    await core.dispose();
  });

  test.each([
    ['GET', '/v2.0'],
    ['GET', '/v2.0/networks'],
    ['GET', '/%762.0/networks'],
    ['GET', '/v2.0/extensions'],
    ['GET', '/v2.0/no-such-thing'],
    ['POST', '/v2.0/networks'],
    ['OPTIONS', '/v2.0/ports'],
  ] as const)('%s %s is answered as by keystonemiddleware', async (method, url) => {
    const answer = await app.inject({ method, url });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Keystone uri="http://keystone:5000/v3x: y"');
    const message = 'The request you have made requires authentication.';
    expect(answer.json()).toEqual({ error: { code: 401, title: 'Unauthorized', message } });
  });

  test.each([
    ['/', 200],
    ['/healthcheck', 200],
    ['/openapi.json', 200],
    ['/no-such-thing', 404],
    ['/v2.00', 404],
  ])('does not need to be identified on %s', async (url, status) => {
    expect((await app.inject({ url })).statusCode).toBe(status);
  });
});
