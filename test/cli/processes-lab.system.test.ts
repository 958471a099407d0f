import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { waitFor } from '../../src/time/wait.ts';
import { type PrivateMariadb, startMariadb } from '../support/mariadb.ts';
import { NeutrinoProcess, neutrino } from '../support/neutrino.ts';
import type { Broker } from '../support/rabbitmq.ts';
import { sharedBroker } from '../support/shared-services.ts';
import { eachInFolder, READY } from './processes-folder.ts';

const folder = eachInFolder();

interface Login {
  readonly username: string;
  readonly password: string;
}

describe.skipIf(process.getuid?.() !== 0)('servers with auth_strategy = lab on MariaDB (needs root)', () => {
  let mariadb: PrivateMariadb;
  let rabbit: Broker;
  beforeAll(async () => {
    [mariadb, rabbit] = await Promise.all([startMariadb(), sharedBroker()]);
  });
  afterAll(async () => {
    await mariadb?.dispose();
  });

  const login = async (url: string, { username: name, password }: Login): Promise<string> => {
    const user = { name, password, domain: { id: 'default' } };
    const response = await fetch(`${url}/identity/v3/auth/tokens`, {
      method: 'POST',
      body: JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } } } }),
    });
    expect(response.status, await response.text()).toBe(201);
    return response.headers.get('x-subject-token') ?? '';
  };
  const status = async (url: string, token: string) =>
    // Each request over a connection of its own, so that all workers are asked.
    (await fetch(`${url}/v2.0/networks`, { headers: { 'x-auth-token': token, connection: 'close' } })).status;
  const until = (url: string, token: string, code: number) =>
    waitFor(`${code} from ${url}`, async () => (await status(url, token)) === code || undefined, {
      timeoutMs: 30_000,
      intervalMs: 50,
    });

  it('share users and tokens, with several workers and without identity.yaml on the second one', async () => {
    const given = { transport: rabbit.transportUrl(), database: await mariadb.database() };
    await neutrino('db', 'upgrade', ...folder.conf(given));
    const words = folder.conf({ ...given, more: 'auth_strategy = lab' });
    const first = NeutrinoProcess.start('server', '--bind-port', '0', ...words);
    const [, url = ''] = await first.logged(READY);
    await first.logged(/clients log in at http:\S+\/identity\/v3 with \S+clouds\.yaml or \S+openrc/);
    const { clouds } = parse(readFileSync(join(folder.path(), 'state', 'clouds.yaml'), 'utf8')) as {
      readonly clouds: Readonly<Record<string, { readonly auth: Login & { readonly auth_url: string } }>>;
    };
    const admin = clouds['neutrino-admin']?.auth ?? { username: '', password: '', auth_url: '' };
    expect(admin.auth_url).toBe(`${url}/identity/v3`);

    const other = join(folder.path(), 'other');
    const more = 'auth_strategy = lab\napi_workers = 2';
    const second = NeutrinoProcess.start(
      ...(['server', '--bind-port', '0', ...folder.conf({ ...given, more }), '--state-path', other] as const),
    );
    const [, there = ''] = await second.logged(/"workers":2,"msg":"ready: API at (http:[^"]+)"/);
    expect(existsSync(join(other, 'identity.yaml'))).toBe(false);

    const [token, spare] = [await login(url, admin), await login(there, admin)];
    for (const one of [token, spare])
      for (const where of [url, there, there, there]) expect(await status(where, one)).toBe(200);
    const revoked = await fetch(`${there}/identity/v3/auth/tokens`, {
      method: 'DELETE',
      headers: { 'x-auth-token': spare, 'x-subject-token': token },
    });
    expect(revoked.status).toBe(204);
    for (const where of [url, there]) await until(where, token, 401);
    expect(await status(url, spare)).toBe(200);

    await mariadb.stop();
    await until(url, spare, 503);
    expect((await fetch(`${url}/identity/v3/users`, { headers: { 'x-auth-token': spare } })).status).toBe(503);
    await mariadb.start();
    await until(url, spare, 200);
    expect(await status(url, token)).toBe(401);
    for (const server of [first, second]) expect(await server.end('SIGTERM')).toBe(0);
  });
});
