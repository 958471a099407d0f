import { describe, expect, test } from 'vitest';
import { noauth } from '../../src/auth/noauth.ts';
import { Policy } from '../../src/auth/policy.ts';
import { identityProvider } from '../../src/auth/providers.ts';
import { configWith } from '../support/core.ts';

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
  test('selects the provider', () => {
    expect(identityProvider(configWith())).toBe(noauth);
  });

  test('is rejected if unknown, with the names of all providers', () => {
    for (const auth_strategy of ['keycloak', 'constructor', ''])
      expect(() => identityProvider(configWith({ DEFAULT: { auth_strategy } }))).toThrow(
        `[DEFAULT] auth_strategy: '${auth_strategy}' is none of noauth`,
      );
  });
});
