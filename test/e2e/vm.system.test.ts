import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FreshNeutrino, startFreshNeutrino } from '../../src/cli/demo/fresh-neutrino.ts';
import { ensureProgram } from '../../src/lab/debian.ts';
import { CACHE_FOLDER } from '../../src/lab/guests.ts';
import { type Neutron, neutronAt } from '../../src/lab/neutron.ts';
import { bootParts } from '../../src/lab/qemu/kernel.ts';
import { listLinks } from '../../src/linux/links.ts';
import { listNamespaces } from '../../src/linux/namespaces.ts';
import { run } from '../../src/linux/run.ts';
import { waitFor } from '../../src/time/wait.ts';
import { neutrinoCommand } from '../support/neutrino.ts';

const HOST = `host-${randomBytes(3).toString('hex')}`;
const silent = () => undefined;

interface BootJson {
  readonly id: string;
  readonly namespace: string;
  readonly right: boolean;
  readonly nics: readonly {
    readonly asked: readonly string[];
    readonly device: string;
    readonly networkId: string;
    readonly lease: { readonly address: string; readonly mtu: number; readonly hostname: string };
  }[];
  readonly exchange: readonly { readonly nic: string; readonly kind: string }[];
}

describe.skipIf(process.getuid?.() !== 0)('machines on a running Neutrino (needs root)', () => {
  let neutrino: FreshNeutrino;
  let neutron: Neutron;

  beforeAll(async () => {
    neutrino = await startFreshNeutrino({ configFile: [], host: HOST }, silent, AbortSignal.timeout(60_000));
    neutron = neutronAt(neutrino.url);
    const live = async () => {
      const { agents } = (await neutron.request('GET', '/v2.0/agents')) as { agents: { alive: boolean }[] };
      return agents.filter(({ alive }) => alive).length >= 2 || undefined;
    };
    await waitFor('two live agents', live, { timeoutMs: 30_000 });
  });
  afterAll(async () => {
    if (!neutrino) return;
    await vm('delete', '--all');
    await neutrino.stop();
  });

  const vm = (...words: string[]) =>
    run(neutrinoCommand(['vm', ...words, '--state-path', neutrino.statePath, '--host', HOST]), {
      okCodes: [0, 1],
      timeoutMs: 300_000,
    });

  async function networkWith(name: string, ...cidrs: string[]): Promise<string> {
    const { network } = (await neutron.request('POST', '/v2.0/networks', { network: { name } })) as {
      network: { id: string };
    };
    for (const cidr of cidrs) {
      await neutron.request('POST', '/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, cidr } });
    }
    return network.id;
  }

  async function boot(...words: string[]): Promise<BootJson> {
    const { stdout, stderr, exitCode } = await vm('boot', ...words, '--json');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    return JSON.parse(stdout) as BootJson;
  }

  test('a machine gets exactly the address of its port, and its deletion leaves nothing behind', async () => {
    await networkWith('plain', '10.81.0.0/24');
    const machine = await boot('first', '--network', 'plain');
    expect(machine.right).toBe(true);
    expect(machine.nics[0]?.lease.address).toBe(machine.nics[0]?.asked[0]);
    expect([...new Set(machine.exchange.map(({ kind }) => kind))]).toEqual(['DISCOVER', 'OFFER', 'REQUEST', 'ACK']);
    const [port] = await neutron.portsOfDevice(machine.id);
    expect(port?.status).toBe('ACTIVE');

    expect((await vm('list')).stdout).toMatch(/first .* running\n/);
    expect(await vm('delete', 'first')).toMatchObject({ exitCode: 0 });
    expect(await neutron.portsOfDevice(machine.id)).toEqual([]);
    expect(await listNamespaces()).not.toContain(machine.namespace);
    expect((await listLinks()).map(({ name }) => name)).not.toContain(machine.nics[0]?.device);
    expect(await readdir(join(neutrino.statePath, 'instances'))).toEqual([]);
  });

  test('a machine has two NICs on two networks, one with a requested address; machines reach each other', async () => {
    const [one, two] = [
      await networkWith('one', '10.82.0.0/24'),
      await networkWith('two', '10.83.0.0/24', '10.84.0.0/24'),
    ];
    const double = await boot(
      'double',
      '--network',
      one,
      '--network',
      'two',
      '--fixed-ip',
      'any',
      '--fixed-ip',
      '10.84.0.9',
    );
    expect(double.nics.map(({ networkId }) => networkId)).toEqual([one, two]);
    expect(double.nics[0]?.lease.address).toMatch(/^10\.82\.0\./);
    expect(double.nics[1]?.lease.address).toBe('10.84.0.9');
    const single = await boot('single', '--network', 'two', '--fixed-ip', '10.83.0.9');
    // Two subnets of one network: option 121 contains a route to the other.
    await run(['ip', 'netns', 'exec', single.namespace, 'busybox', 'ping', '-c', '1', '-W', '5', '10.84.0.9']);
    const { stdout } = await vm('list');
    expect(stdout).toMatch(/double +eth1 +two +\S+ +10\.84\.0\.9 +10\.84\.0\.9\n/);
    expect(await vm('boot', 'single', '--network', 'two')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('a machine named "single" exists already'),
    });
  });

  test('a virtual machine gets exactly the address of its port', { timeout: 900_000 }, async ({ skip }) => {
    const missing = await ensureProgram('qemu-system-x86_64', 'qemu-system-x86', silent)
      .then(() => bootParts(CACHE_FOLDER, silent))
      .then(silent, (error: unknown) => String(error));
    skip(missing !== undefined, `no QEMU or no kernel here: ${missing}`);
    await networkWith('virtual', '10.85.0.0/24');
    const machine = await boot('real', '--network', 'virtual', '--qemu');
    expect(machine.nics[0]?.lease.address).toBe(machine.nics[0]?.asked[0]);
    expect(machine.nics[0]?.lease.mtu).toBe(1450);
    expect((await vm('list')).stdout).toMatch(/real .* virtual machine +running\n/);
    expect(await vm('delete', 'real')).toMatchObject({ exitCode: 0 });
    expect(await neutron.portsOfDevice(machine.id)).toEqual([]);
  });
});

test.skipIf(process.getuid?.() !== 0)(
  'the demo completes its scenario and leaves nothing behind (needs root)',
  { timeout: 180_000 },
  async () => {
    const host = `host-${randomBytes(3).toString('hex')}`;
    const { stdout, stderr, exitCode } = await run(neutrinoCommand(['demo', '--host', host]), {
      okCodes: [0, 1],
      timeoutMs: 150_000,
    });
    expect({ exitCode, stderr, stdout }).toMatchObject({ exitCode: 0, stderr: '' });
    const headings = stdout.split('\n').filter((line) => /^\d {2}/.test(line));
    expect(headings).toHaveLength(7);
    expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect(stdout).toMatch(/ 0% packet loss/);
    const statePath = /--state-path (\S+)/.exec(stdout)?.[1] ?? '';
    expect(statePath).not.toBe('');
    await expect(readdir(statePath)).rejects.toThrow('ENOENT');
    const network = /id ([0-9a-f-]{36})/.exec(stdout)?.[1] ?? '';
    expect(await listNamespaces()).not.toContain(`qdhcp-${network}`);
    expect((await listLinks()).map(({ name }) => name)).not.toContain(`brq${network.slice(0, 11)}`);
  },
);
