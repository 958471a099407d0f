import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeUnlessKept } from '../../support/folder.ts';
import { type Keystone, keystoneObstacle, startKeystone } from '../../support/keystone.ts';
import type { Account } from '../../support/keystone-accounts.ts';
import { NeutrinoProcess } from '../../support/neutrino.ts';

const obstacle = keystoneObstacle();

describe.skipIf(obstacle)(`neutrino up with Keystone${obstacle ? ` (skipped: ${obstacle})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-secrets-'));
  const statePath = join(folder, 'state');
  /** Everything that was answered, with headers. */
  let answers = '';
  let keystone: Keystone;
  let neutron: Account;
  let member: string;
  let service: string;
  let server: NeutrinoProcess;
  let url: string;

  beforeAll(async () => {
    keystone = await startKeystone();
    neutron = await keystone.accounts.account('services', ['service'], 'neutron');
    member = await keystone.accounts.token(await keystone.accounts.account('p1', ['member'], 'ann'));
    service = await keystone.accounts.token(neutron);
    const keystone_authtoken = {
      auth_url: keystone.url,
      www_authenticate_uri: 'https://keystone.example.org',
      username: neutron.user,
      password: neutron.password,
      project_name: neutron.project,
      http_request_max_retries: 0,
      http_connect_timeout: 10,
    };
    server = new NeutrinoProcess({
      words: ['up', '--no-agents', '--bind-port', '0', '--state-path', statePath],
      folder,
      files: { 'neutron.conf': { DEFAULT: { auth_strategy: 'keystone', debug: true }, keystone_authtoken } },
    });
    await server.start();
    url = await server.url();
  });
  afterAll(async () => {
    await server?.shutDown();
    await keystone?.dispose();
    removeUnlessKept(folder);
  });

  async function ask(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Response> {
    const response = await fetch(`${url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    answers += `${JSON.stringify([...response.headers])}${await response.clone().text()}\n`;
    return response;
  }

  it('answers requests of members in their project, and tells the others where to log in', async () => {
    const made = await ask('POST', '/v2.0/networks', { 'x-auth-token': member }, { network: { name: 'n' } });
    expect(made.status).toBe(201);
    const { network } = (await made.json()) as { network: { id: string; project_id: string } };
    const account = await keystone.accounts.admin('GET', 'projects?name=p1');
    expect(network.project_id).toBe((account.projects as { id: string }[])[0]?.id);

    const refused = await ask('GET', '/v2.0/networks', { 'x-auth-token': `${member}x`, 'x-roles': 'admin' });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Keystone uri="https://keystone.example.org"');
    const message = 'The request you have made requires authentication.';
    expect(await refused.json()).toEqual({ error: { code: 401, title: 'Unauthorized', message } });
    expect((await ask('GET', '/', {})).status).toBe(200);
  });

  it('shows no token and no password in its log, its files or its answers, whatever happens', async () => {
    const tokens = { 'x-auth-token': member, 'x-service-token': service };
    const bodies = [
      { network: { mtu: 'x' } },
      { network: { name: 'm', 'provider:network_type': 'vlan' } },
      'no json',
      { port: {} },
    ];
    for (const body of bodies) await ask('POST', '/v2.0/networks', tokens, body);
    for (const path of ['/v2.0/ports/none', '/v2.0/no-such', '/v2.0/networks?limit=x', '/no-such', '/v2.0/agents'])
      for (const method of ['GET', 'PUT', 'DELETE']) await ask(method, path, tokens, method === 'PUT' ? {} : undefined);
    await keystone.stop();
    const unknown = await ask('DELETE', '/v2.0/networks/none', { ...tokens, 'x-auth-token': `${member}y` });
    expect(unknown.status).toBe(503);
    await server.logged(/requests are answered with 503/);
    expect(await server.stop()).toBe(0);

    const files = readdirSync(statePath, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name)).toContain('neutrino.sqlite');
    const stored = files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'));
    for (const text of [server.stdout, server.stderr, answers, ...stored])
      for (const secret of [member, service, neutron.password]) expect(text.includes(secret.slice(0, 40))).toBe(false);
  });
});
