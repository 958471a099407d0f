import { describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/db/migrations/index.ts';
import { freePorts } from '../support/free-ports.ts';
import { NeutrinoProcess, neutrino } from '../support/neutrino.ts';
import { eachInFolder, once, READY, status } from './processes-folder.ts';

const { conf: files, path } = eachInFolder();

describe('neutrino server and agents without broker and database', () => {
  it('state what to configure if transport_url is missing', async () => {
    for (const command of ['server', 'dhcp-agent', 'l2-agent']) {
      const { code, stderr } = await neutrino(command, ...files({}));
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`^neutrino: neutrino ${command} communicates .* through RabbitMQ`));
      expect(stderr).toContain('"transport_url = rabbit://USER:PASSWORD@HOST:5672/" into [DEFAULT]');
    }
  });

  it('reject an invalid transport_url and database without printing passwords', async () => {
    const broken = [
      files({ transport: 'amqp://neutron:geheim@host/' }),
      files({ transport: 'rabbit://neutron:geheim@host/', database: 'mysql://neutron:geheim@/' }),
      files({ transport: 'rabbit://neutron:geheim@host/', database: 'postgresql://neutron:geheim@host/neutron' }),
    ];
    for (const words of broken) {
      const { code, stderr } = await neutrino('server', '--bind-port', '0', ...words);
      expect(code).toBe(2);
      expect(stderr).toMatch(/neutrino: \[(DEFAULT\] transport_url|database\] connection): .+\n$/);
      expect(stderr).not.toContain('geheim');
      expect(stderr).not.toContain('    at ');
    }
  });

  it('accept the files of stock agents: options that only servers read may have unsupported values', async () => {
    const words = files({ transport: 'amqp://x', more: 'auth_strategy = kerberos\nagent_down_time = 60' });
    expect((await neutrino('server', ...words)).stderr).toContain('auth_strategy = "kerberos"');
    expect((await neutrino('dhcp-agent', ...words)).stderr).toContain(
      '[DEFAULT] transport_url: must begin with rabbit://',
    );
  });

  it('do not wait for a broker: the API responds, and the outage is logged once', async () => {
    const [port] = await freePorts(1);
    const words = files({ transport: `rabbit://neutron:geheim@127.0.0.1:${port}/` });
    expect((await neutrino('db', 'upgrade', ...words)).code).toBe(0);
    const server = NeutrinoProcess.start('server', '--bind-port', '0', ...words);
    const [, url = ''] = await server.logged(READY);
    expect(await status(url)).toBe(200);
    await server.logged(/nothing listens there \(ECONNREFUSED\)/);
    expect(await server.end('SIGTERM')).toBe(0);
    expect(once(server.stderr, 'ECONNREFUSED')).toBe(true);
    expect(server.stderr).not.toContain('geheim');
  });

  it.skipIf(process.getuid?.() !== 0)(
    'an agent that waits for a broker stops at once on a signal (needs root)',
    async () => {
      const [port] = await freePorts(1);
      const agent = NeutrinoProcess.start(
        'dhcp-agent',
        '--host',
        'processes-waiting',
        ...files({ transport: `rabbit://127.0.0.1:${port}/` }),
      );
      await agent.logged(/ECONNREFUSED/);
      // Well before it would give up waiting for the broker and go on without it.
      expect(agent.stderr).not.toContain('will be served once RabbitMQ is reachable');
      expect(await agent.end('SIGTERM')).toBe(0);
      expect(agent.stderr).not.toContain('will be served once RabbitMQ is reachable');
    },
  );

  it.skipIf(process.getuid?.() !== 0)(
    'an agent whose state path belongs to another host does not start, and prints how to rename it (needs root)',
    async () => {
      const [port] = await freePorts(1);
      const words = files({ transport: `rabbit://127.0.0.1:${port}/` });
      const start = (...more: string[]) => NeutrinoProcess.start('l2-agent', ...words, '--host', ...more);
      const first = start('processes-old');
      await first.logged(/ECONNREFUSED/);
      const whileItRuns = await neutrino('dhcp-agent', ...words, '--host', 'processes-new', '--rename-host');
      expect(whileItRuns.code).toBe(1);
      expect(whileItRuns.stderr).toContain(`a l2-agent runs on state path ${path()}/state already`);
      expect(await first.end('SIGTERM')).toBe(0);

      const refused = await neutrino('l2-agent', ...words, '--host', 'processes-new');
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/belongs to host processes-old, and this start is for host processes-new/);
      expect(refused.stderr).toContain('run "neutrino db rename-host processes-old processes-new"');
      const renamed = start('processes-new', '--rename-host');
      await renamed.logged(/ECONNREFUSED/);
      expect(await renamed.end('SIGTERM')).toBe(0);
      const back = await neutrino('l2-agent', ...words, '--host', 'processes-old');
      expect(back.stderr).toContain('belongs to host processes-new');
    },
  );

  it('db rename-host requires a current schema and a valid host name', async () => {
    const words = files({});
    expect(await neutrino('db', 'rename-host', 'a', 'b', ...words)).toMatchObject({ code: 1 });
    expect((await neutrino('db', 'upgrade', ...words)).code).toBe(0);
    expect(await neutrino('db', 'rename-host', 'a', 'b', ...words)).toMatchObject({
      code: 0,
      stdout: 'Host a is now b: 0 agent(s), 0 port(s).\n',
    });
    expect((await neutrino('db', 'rename-host', 'a', '-', ...words)).stderr).toContain('[DEFAULT] host = "-"');
  });

  it('only one server runs on SQLite, with an error for the second one', async () => {
    const [port] = await freePorts(1);
    const words = files({ transport: `rabbit://127.0.0.1:${port}/`, more: 'api_workers = 4' });
    const early = await neutrino('server', '--bind-port', '0', ...words);
    expect(early.code).toBe(3);
    expect(early.stderr).toContain(
      `missing (${MIGRATIONS.map((m) => m.name).join(', ')}); run bin/neutrino db upgrade`,
    );
    expect((await neutrino('db', 'upgrade', ...words)).code).toBe(0);
    const server = NeutrinoProcess.start('server', '--bind-port', '0', ...words);
    const [, url = ''] = await server.logged(READY);
    expect(await status(url)).toBe(200);
    expect(server.stderr).toContain('[DEFAULT] api_workers = 4: SQLite is for one process, so there is one worker');
    const second = await neutrino('server', '--bind-port', '0', ...words);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`already (process ${server.pid}); several servers need MariaDB or MySQL`);
    expect(await server.end('SIGTERM')).toBe(0);
  });
});
