import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/db/migrations/index.ts';
import { parseMysqlUrl } from '../../src/db/mysql/url.ts';
import { waitFor } from '../../src/time/wait.ts';
import { type PrivateMariadb, startMariadb } from '../support/mariadb.ts';
import { NeutrinoProcess, neutrino } from '../support/neutrino.ts';
import type { Broker } from '../support/rabbitmq.ts';
import { sharedBroker } from '../support/shared-services.ts';
import { eachInFolder, once, READY, status } from './processes-folder.ts';

const LATEST = MIGRATIONS.at(-1)?.name ?? '';
const folder = eachInFolder();
const files = folder.conf;

describe.skipIf(process.getuid?.() !== 0)('neutrino db and server on MariaDB (needs root)', () => {
  let mariadb: PrivateMariadb;
  let rabbit: Broker;
  beforeAll(async () => {
    [mariadb, rabbit] = await Promise.all([startMariadb(), sharedBroker()]);
  });
  afterAll(async () => {
    await mariadb?.dispose();
  });

  const words = async (more = '') =>
    files({ transport: rabbit.transportUrl(), database: await mariadb.database(), more });
  const server = (given: readonly string[]) => NeutrinoProcess.start('server', '--bind-port', '0', ...given);

  it('upgrades repeatedly and in parallel; check and version report the state', async () => {
    const given = await words();
    expect((await neutrino('db', 'version', ...given)).stdout).toMatch(/^none \(missing: 0001-initial/);
    const before = await neutrino('db', 'check', ...given);
    expect(before.code).toBe(1);
    expect(before.stderr).toContain('the schema is not current');
    const upgrades = await Promise.all(Array.from({ length: 3 }, () => neutrino('db', 'upgrade', ...given)));
    expect(upgrades.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(3).fill({ code: 0, stderr: '' }));
    expect((await neutrino('db', 'upgrade', ...given)).stdout).toBe('The schema is current; nothing to do.\n');
    expect(await neutrino('db', 'check', ...given)).toEqual({
      code: 0,
      stdout: 'The schema is current.\n',
      stderr: '',
    });
    expect((await neutrino('db', 'version', ...given)).stdout).toBe(`${LATEST}\n`);
  });

  it('rejects the database of a newer version, and that of stock Neutron', async () => {
    const run = async (url: string, ...statements: string[]) => {
      const connection = await createConnection({ ...parseMysqlUrl(url) });
      for (const statement of statements) await connection.query(statement);
      await connection.end();
    };
    const newer = await mariadb.database();
    await neutrino('db', 'upgrade', ...files({ database: newer }));
    await run(newer, "insert into neutrino_migrations (name) values ('9999-later')");
    const stock = await mariadb.database();
    await run(
      stock,
      'create table alembic_version (version_num varchar(32) primary key)',
      'create table networks (id int)',
    );
    for (const [url, why] of [
      [newer, /9999-later\): it was made by a newer Neutrino/],
      [stock, /stock Neutron's own .*configure an empty database/],
    ] as const) {
      const given = files({ database: url, transport: rabbit.transportUrl() });
      for (const [command, code] of [
        [['db', 'check'], 1],
        [['db', 'upgrade'], 3],
        [['server', '--bind-port', '0'], 3],
      ] as const) {
        const refused = await neutrino(...command, ...given);
        expect(refused.stderr).toMatch(why);
        expect(refused.code).toBe(code);
      }
    }
  });

  it('reports what the database rejects, in one line and without the password', async () => {
    const { port } = mariadb;
    const cases: [string, RegExp][] = [
      [
        `mysql+pymysql://nobody:geheim@127.0.0.1:${port}/neutron`,
        /refuses: Access denied for user 'nobody'.* check user/,
      ],
      [(await mariadb.database()).replace(/\/[^/]*$/, '/neutrino_none'), /refuses: (Access denied|Unknown database)/],
    ];
    for (const [url, why] of cases) {
      for (const command of [
        ['db', 'check'],
        ['db', 'upgrade'],
        ['server', '--bind-port', '0'],
      ]) {
        const { code, stderr } = await neutrino(
          ...command,
          ...files({ database: url, transport: rabbit.transportUrl() }),
        );
        expect(code).toBe(1);
        expect(stderr).toMatch(why);
        expect(stderr).not.toContain('geheim');
        expect(stderr.trim().split('\n')).toHaveLength(1);
      }
    }
  });

  it('server and up reject a schema that is not current, and name the command to run', async () => {
    const given = await words();
    for (const command of [['server'], ['up', '--no-agents']]) {
      const { code, stderr } = await neutrino(...command, '--bind-port', '0', ...given);
      expect(code).toBe(3);
      expect(stderr).toContain(LATEST);
      expect(stderr).toContain('run bin/neutrino db upgrade with the same --config-file');
    }
  });

  it('several servers run on one database, each logs one line when it is ready, and stops on SIGTERM with code 0', async () => {
    const given = await words();
    await neutrino('db', 'upgrade', ...given);
    const servers = [
      server(given),
      server(given),
      NeutrinoProcess.start('up', '--no-agents', '--bind-port', '0', ...given),
    ];
    const urls = [
      ...(await Promise.all(servers.slice(0, 2).map((one) => one.logged(READY)))).map(([, url = '']) => url),
      (await servers[2]?.url()) ?? '',
    ];
    const body = JSON.stringify({ network: { name: 'shared' } });
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${urls[0]}/v2.0/networks`, { method: 'POST', body, headers })).status).toBe(201);
    for (const url of urls) {
      const { networks } = (await (await fetch(`${url}/v2.0/networks`)).json()) as { networks: { name: string }[] };
      expect(networks.map(({ name }) => name)).toEqual(['shared']);
    }
    expect(await Promise.all(servers.map((one) => one.end('SIGTERM')))).toEqual([0, 0, 0]);
    for (const one of servers.slice(0, 2)) expect(once(one.stderr, 'ready: ')).toBe(true);
  });

  it('api_workers are processes that share the port; one that is killed is replaced', async () => {
    const given = await words('api_workers = 2');
    await neutrino('db', 'upgrade', ...given);
    const primary = server(given);
    const [, url = ''] = await primary.logged(/"workers":2,"msg":"ready: API at (http:[^"]+)"/);
    const workers = () =>
      readFileSync(`/proc/${primary.pid}/task/${primary.pid}/children`, 'utf8').trim().split(' ').map(Number);
    const before = workers();
    expect(before).toHaveLength(2);
    expect(await status(url)).toBe(200);
    process.kill(before[0] ?? 0, 'SIGKILL');
    await primary.logged(/a worker exited; starting another/);
    expect(await status(url)).toBe(200);
    await waitFor(
      'two workers again',
      async () => (workers().length === 2 && !workers().includes(before[0] ?? 0)) || undefined,
      { timeoutMs: 20_000 },
    );
    await primary.logged(/"worker":3,"msg":"ready/);
    expect(await status(url)).toBe(200);
    expect(await primary.end('SIGTERM')).toBe(0);
    expect(once(primary.stderr, 'a worker exited')).toBe(true);
  });

  it('a port in use ends all workers with an error', async () => {
    const given = await words('api_workers = 2');
    await neutrino('db', 'upgrade', ...given);
    const first = server(given);
    const [, url = ''] = await first.logged(/"workers":2,"msg":"ready: API at (http:[^"]+)"/);
    const second = await neutrino('server', '--bind-port', new URL(url).port, ...given);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('is in use by another program');
    expect(second.stderr).toContain('neutrino: a worker exited while it was starting');
  });

  it('waits for an unreachable database, logs that once, and responds once it is reachable', async () => {
    const given = await words();
    await neutrino('db', 'upgrade', ...given);
    await mariadb.stop();
    let stopped = true;
    try {
      const told = server(given);
      await told.logged(/the database cannot be reached .*; retrying/);
      expect(await told.end('SIGTERM')).toBe(0);

      const workers = join(folder.path(), 'workers.conf');
      writeFileSync(workers, '[DEFAULT]\napi_workers = 2\n');
      const many = server([...given, '--config-file', workers]);
      await many.logged(/cannot be reached/);
      expect(await many.end('SIGTERM')).toBe(0);

      const check = await neutrino('db', 'check', ...given);
      expect(check.code).toBe(2);
      expect(check.stderr).toMatch(/the database cannot be reached \(connect ECONNREFUSED.*\); is it running/);

      const patient = server(given);
      await patient.logged(/cannot be reached/);
      await mariadb.start();
      stopped = false;
      const [, url = ''] = await patient.logged(READY);
      expect(await status(url)).toBe(200);
      expect(once(patient.stderr, 'cannot be reached')).toBe(true);
      expect(patient.stderr).toContain('the database can be reached again');
      expect(await patient.end('SIGTERM')).toBe(0);
    } finally {
      if (stopped) await mariadb.start();
    }
  });

  it('a DHCP agent starts, reports to the server, locks its state path, and stops on SIGTERM with code 0', async () => {
    const given = await words('host = processes-test');
    await neutrino('db', 'upgrade', ...given);
    const running = server(given);
    const [, url = ''] = await running.logged(READY);
    const agent = NeutrinoProcess.start('dhcp-agent', ...given);
    await agent.logged(/ready: dhcp-agent of host processes-test/);
    await waitFor(
      'the agent to be alive',
      async () => {
        const { agents } = (await (await fetch(`${url}/v2.0/agents`)).json()) as { agents: { alive: boolean }[] };
        return agents.length === 1 && agents[0]?.alive ? true : undefined;
      },
      { timeoutMs: 20_000 },
    );
    const second = await neutrino('dhcp-agent', ...given);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`already (process ${agent.pid})`);
    expect(await agent.end('SIGTERM')).toBe(0);
    expect(agent.stderr).toContain('stopping: SIGTERM; DHCP keeps serving the machines');
    expect(await running.end('SIGTERM')).toBe(0);
  });
});
