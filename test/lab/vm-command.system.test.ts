import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guestNamespace } from '../../src/lab/namespace-guest.ts';
import { namespaceExists } from '../../src/linux/namespaces.ts';
import { run } from '../../src/linux/run.ts';
import { waitFor } from '../../src/time/wait.ts';
import { linkExists } from '../linux/devices.ts';
import { NeutrinoProcess, neutrinoCommand } from '../support/neutrino.ts';
import { type DnsmasqWorld, startDnsmasqWorld } from './dnsmasq-world.ts';
import { type FakeNeutron, startFakeNeutron } from './fake-neutron.ts';

const FOUR_MESSAGES = ['DISCOVER', 'OFFER', 'REQUEST', 'ACK'];

describe.skipIf(process.getuid?.() !== 0)('vm on the command line (needs root)', () => {
  let world: DnsmasqWorld;
  let neutron: FakeNeutron;
  let statePath: string;
  let booting: NeutrinoProcess | undefined;

  beforeEach(async () => {
    world = await startDnsmasqWorld();
    neutron = await startFakeNeutron(world);
    statePath = await mkdtemp(join(tmpdir(), 'neutrino-vm-'));
    await mkdir(join(statePath, 'dhcp', neutron.network.id), { recursive: true });
  });
  afterEach(async () => {
    await NeutrinoProcess.killAll();
    await vm(['delete', '--all']);
    await neutron.stop();
    await world.stop();
    await rm(statePath, { recursive: true });
  });

  const command = (words: readonly string[]) => ['vm', ...words, ...['--url', neutron.url, '--state-path', statePath]];
  const vm = (words: readonly string[]) => run(neutrinoCommand(command(words)), { okCodes: [0, 1], timeoutMs: 60_000 });
  const listed = async () => JSON.parse((await vm(['list', '--json'])).stdout) as Record<string, unknown>[];

  /** Starts a boot, kills it once `when` holds, and returns the UUID that it had chosen. */
  async function killBoot(when: () => Promise<true | undefined>): Promise<string> {
    const boot = NeutrinoProcess.start(...command(['boot', 'vm1', '--network', 'net1']));
    booting = boot;
    await waitFor('the moment to kill', when, { timeoutMs: 30_000, intervalMs: 5 });
    await boot.kill();
    return String(neutron.asked[0]?.device_id);
  }

  async function expectDeletable(id: string) {
    expect(await listed()).toMatchObject([{ id, name: 'vm1', status: 'broken' }]);
    const again = await vm(['boot', 'vm1', '--network', 'net1']);
    expect(again).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('a machine named "vm1" exists already'),
    });
    const devices = [...neutron.ports.keys()].map((port) => `tap${port.slice(0, 11)}`);
    expect(await vm(['delete', 'vm1'])).toMatchObject({ exitCode: 0, stdout: `deleted vm1 ${id}\n` });
    expect(await listed()).toEqual([]);
    expect(neutron.ports.size).toBe(0);
    expect(await namespaceExists(guestNamespace(id))).toBe(false);
    for (const device of devices) expect(await linkExists(device)).toBe(false);
    expect(await vm(['delete', 'vm1'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('no machine is named vm1'),
    });
    expect(await vm(['delete', id])).toMatchObject({ exitCode: 0 });
  }

  test('boot, list and delete report what they do', async () => {
    // dnsmasq's log has the same path as in Neutrino.
    await rm(join(statePath, 'dhcp', neutron.network.id), { recursive: true });
    await run(['ln', '-s', world.folder, join(statePath, 'dhcp', neutron.network.id)]);
    const boot = await vm(['boot', 'vm1', '--network', 'net1', '--fixed-ip', '10.64.0.44']);
    expect(boot).toMatchObject({ exitCode: 0, stderr: '' });
    const told = boot.stdout.split('\n').map((line) => line.replaceAll(/\d\d:\d\d:\d\d/g, 'TIME'));
    expect(told[0]).toMatch(/^eth0 on net1: port \S{36}, fa:16:3e:\S+, 10\.64\.0\.44$/);
    expect(told[1]).toMatch(/^plugged tap\S{11}; ACTIVE \d+ ms later$/);
    const exchange = told.filter((line) => line.startsWith('TIME'));
    expect(
      exchange.every((line) => /^TIME +\+\d+ ms {2}eth0 {3}[A-Z]+ +.*fa:16:3e:/.test(line) && line.length <= 100),
    ).toBe(true);
    // On a loaded machine, the client may have to repeat a message.
    expect([...new Set(exchange.map((line) => /eth0 +([A-Z]+)/.exec(line)?.[1]))]).toEqual(FOUR_MESSAGES);
    expect(told.at(-2)).toMatch(/^eth0 .* 10\.64\.0\.44 +10\.64\.0\.44 /);

    const { stdout: list } = await vm(['list']);
    expect(list).toMatch(
      /^NAME +UUID +GUEST +STATUS\nvm1 .* running\n\nMACHINE +NIC +NETWORK +MAC +FIXED IP +GOT\nvm1 +eth0 +net1 .* 10\.64\.0\.44\n$/,
    );
    // Even without root, because of the DHCP client's pid file.
    await chmod(statePath, 0o755);
    const NOBODY = { uid: 65534, gid: 65534, encoding: 'utf8' } as const;
    const [program, ...words] = neutrinoCommand(command(['list', '--json']));
    if (spawnSync('test', ['-r', 'src/cli/main.ts'], NOBODY).status === 0) {
      expect(JSON.parse(spawnSync(program, words, NOBODY).stdout)).toMatchObject([{ name: 'vm1', status: 'running' }]);
    }
    expect(await vm(['delete', 'nope', 'vm1'])).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^deleted vm1 /),
      stderr: expect.stringContaining('no machine is named nope'),
    });
    expect((await vm(['boot', 'vm1', '--network', 'net1'])).exitCode).toBe(0);
    expect(await vm(['delete', '--all'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^deleted vm1 /),
    });
    expect((await vm(['list'])).stdout).toMatch(/^no machines;/);
  });

  test('a wrong address sets exit code 1, and is also in the JSON', async () => {
    neutron.faults.wrongAddress = '10.64.0.99';
    const { exitCode, stdout } = await vm(['boot', 'vm1', '--network', 'net1', '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'vm1',
      right: false,
      nics: [{ name: 'eth0', asked: ['10.64.0.101'], right: false, lease: { address: '10.64.0.99', prefix: 24 } }],
    });
  });

  test('a boot killed before it knows its requested port can be deleted', async () => {
    let asked = false;
    neutron.faults.beforePortAnswer = () => {
      asked = true;
      // At once, before it receives the response.
      if (booting) process.kill(booting.pid, 'SIGKILL');
    };
    await expectDeletable(await killBoot(async () => asked || undefined));
  });

  test('a boot killed while it waits for its ports can be deleted', async () => {
    neutron.faults.neverActive = true;
    const id = await killBoot(async () => {
      const [port] = neutron.ports.keys();
      return port !== undefined && (await linkExists(`tap${port.slice(0, 11)}`)) ? true : undefined;
    });
    await expectDeletable(id);
  });

  test('an empty folder is listed as broken and can be deleted by its UUID', async () => {
    const id = '11111111-2222-4333-8444-555555555555';
    await mkdir(join(statePath, 'instances', id), { recursive: true });
    await writeFile(join(statePath, 'instances', id, 'instance.json.new'), '{"vers');
    expect(await listed()).toMatchObject([{ id, name: null, status: 'broken' }]);
    expect((await vm(['list'])).stdout).toContain(`-     ${id}`);
    expect(await vm(['delete', id])).toMatchObject({ exitCode: 0 });
    expect(await listed()).toEqual([]);
  });

  test('rejects invalid combinations', async () => {
    const refused = async (...words: string[]) => (await run(neutrinoCommand(command(words)), { okCodes: [2] })).stderr;
    expect(await refused('delete')).toContain('name the machines to delete, or use --all');
    expect(await refused('boot', 'x', '--network', 'net1', '--fixed-ip', 'any', '--fixed-ip', '10.0.0.1')).toContain(
      '2 times --fixed-ip, but only 1 times --network',
    );
    expect(await refused('boot', 'x', '--network', 'net1', '--lease-timeout', 'soon')).toContain(
      '--lease-timeout soon: must be whole seconds from 1 to 99999',
    );
    const { stderr } = await run(neutrinoCommand(['vm', 'list', '--host', '-', '--state-path', statePath]), {
      okCodes: [2],
    });
    expect(stderr).toContain('host');
  });
});
