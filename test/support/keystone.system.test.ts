import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Keystone, keystoneObstacle, startKeystone } from './keystone.ts';

const obstacle = keystoneObstacle();

describe.skipIf(obstacle)(`a private Keystone${obstacle ? ` (skipped: ${obstacle})` : ''}`, () => {
  let keystone: Keystone;
  beforeAll(async () => {
    keystone = await startKeystone({ conf: { token: { expiration: 1800 } } });
  });
  afterAll(() => keystone?.dispose());

  it('issues tokens with the requested roles for accounts created by tests', async () => {
    const { accounts } = keystone;
    const account = await accounts.account('p1', ['member', 'auditor'], 'ann');
    const token = await accounts.token(account);
    const response = await fetch(`${keystone.url}/auth/tokens`, {
      headers: { 'x-auth-token': await accounts.adminToken(), 'x-subject-token': token },
    });
    expect(await response.json()).toMatchObject({
      token: {
        user: { id: account.userId, name: 'ann' },
        project: { id: account.projectId, name: 'p1' },
        roles: expect.arrayContaining([expect.objectContaining({ name: 'auditor' })]),
      },
    });
    await accounts.revoke(token);
    const revoked = await fetch(`${keystone.url}/auth/tokens`, { headers: { 'x-auth-token': token } });
    expect(revoked.status).toBe(401);
  });

  it('keeps its accounts across a restart', async () => {
    const account = await keystone.accounts.account('p2');
    await keystone.stop();
    await expect(fetch(keystone.url)).rejects.toThrow('fetch failed');
    await keystone.start();
    expect(await keystone.accounts.token(account)).not.toBe('');
  });

  it('does not respond while it is frozen', async () => {
    await keystone.freeze();
    const response = fetch(keystone.url);
    const first = await Promise.race([response, new Promise((resolve) => setTimeout(resolve, 200, 'nothing'))]);
    expect(first).toBe('nothing');
    await keystone.thaw();
    expect((await response).ok).toBe(true);
  });
});
