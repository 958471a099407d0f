import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseExchangeLine } from '../../src/agents/dhcp/drivers/dnsmasq/exchange-line.ts';
import { type BootRequest, bootMachine, type Lab } from '../../src/lab/boot.ts';
import { instanceStore } from '../../src/lab/instance.ts';
import { listMachines } from '../../src/lab/list.ts';
import { guestNamespace } from '../../src/lab/namespace-guest.ts';
import { neutronAt } from '../../src/lab/neutron.ts';
import { removeMachine, stopMachines } from '../../src/lab/remove.ts';
import { bootTable, machineList } from '../../src/lab/show.ts';
import { namespaceExists } from '../../src/linux/namespaces.ts';
import { linkExists } from '../linux/devices.ts';
import { type DnsmasqWorld, startDnsmasqWorld } from './dnsmasq-world.ts';
import { type FakeNeutron, startFakeNeutron } from './fake-neutron.ts';

describe.skipIf(process.getuid?.() !== 0)('booting a machine (needs root)', () => {
  let world: DnsmasqWorld;
  let neutron: FakeNeutron;
  let statePath: string;
  let lab: Lab;
  let said: string[];
  /** An address on which no server listens. */
  let nobody: string;
  const limits = { pluggedMs: 20_000, leaseMs: 20_000 };

  beforeEach(async () => {
    world = await startDnsmasqWorld(['--dhcp-option=tag:s,option:router,10.64.0.1']);
    neutron = await startFakeNeutron(world);
    statePath = await mkdtemp(join(tmpdir(), 'neutrino-boot-'));
    said = [];
    const short = await startFakeNeutron(world);
    nobody = short.url;
    await short.stop();
    lab = {
      neutron: neutronAt(neutron.url),
      store: instanceStore(statePath),
      host: 'this-host',
      exchangeLog: { file: () => world.log, parse: parseExchangeLine },
      say: (line) => said.push(line),
    };
  });
  afterEach(async () => {
    for (const stored of await lab.store.list()) await removeMachine(stored, lab);
    await neutron.stop();
    await world.stop();
    await rm(statePath, { recursive: true });
  });

  const boot = (request: Partial<BootRequest> = {}, more: Partial<typeof limits> & { signal?: AbortSignal } = {}) =>
    bootMachine(
      { name: 'vm1', kind: 'namespace', nics: [{ network: 'net1' }], ...request },
      lab,
      { ...limits, ...more },
      () => undefined,
    );

  async function expectNothingLeft() {
    expect([...neutron.ports.keys()]).toEqual([]);
    expect(await lab.store.list()).toEqual([]);
    const asked = neutron.asked.map(({ device_id }) => guestNamespace(String(device_id)));
    for (const namespace of asked) expect(await namespaceExists(namespace)).toBe(false);
  }

  test('requests ports as nova-compute does, and gets the address of each by DHCP', async () => {
    const report = await boot({
      name: 'My VM <&> "1"',
      nics: [{ network: neutron.network.id }, { network: 'net1', fixedIp: '10.64.0.77' }],
    });
    expect(neutron.asked).toMatchObject([
      {
        network_id: neutron.network.id,
        'binding:host_id': 'this-host',
        device_owner: 'compute:nova',
        device_id: report.instance.id,
        admin_state_up: true,
        tenant_id: 'a-project',
        dns_name: 'my-vm-1',
      },
      { fixed_ips: [{ ip_address: '10.64.0.77' }] },
    ]);
    expect(report.right).toBe(true);
    expect(report.nics.map(({ lease }) => lease?.address)).toEqual(['10.64.0.101', '10.64.0.77']);
    for (const nic of ['eth0', 'eth1']) {
      const kinds = report.exchange.filter((message) => message.nic === nic).map(({ kind }) => kind);
      // On a loaded machine, the client may have to repeat a message.
      expect([...new Set(kinds)]).toEqual(['DISCOVER', 'OFFER', 'REQUEST', 'ACK']);
    }
    const [first] = report.instance.nics;
    expect(await readFile(join(report.folder, 'libvirt.xml'), 'utf8')).toContain(
      [
        `  <uuid>${report.instance.id}</uuid>`,
        '  <name>My VM &lt;&amp;&gt; &quot;1&quot;</name>',
        '  <devices>',
        '    <interface type="bridge">',
        `      <mac address="${first?.mac}"/>`,
        '      <model type="virtio"/>',
        `      <source bridge="brq${neutron.network.id.slice(0, 11)}"/>`,
        '      <mtu size="1450"/>',
        `      <target dev="tap${first?.portId.slice(0, 11)}"/>`,
        '    </interface>',
      ].join('\n'),
    );
    const table = bootTable(report).split('\n');
    expect(table[0]).toMatch(/^NIC +MAC +ASKED FOR +GOT +LEASE +ROUTER +DNS +TO LEASE$/);
    expect(table[1]).toMatch(
      /^eth0 +fa:16:3e:\S+ +10\.64\.0\.101 +10\.64\.0\.101 +600 s +10\.64\.0\.1 +10\.64\.0\.2 +\d+ ms$/,
    );

    const machines = await listMachines(lab.store);
    expect(machines).toMatchObject([
      { name: 'My VM <&> "1"', status: 'running', nics: [{ got: '10.64.0.101' }, { got: '10.64.0.77' }] },
    ]);
    expect(machineList(machines)).toContain(`${guestNamespace(report.instance.id)}  running`);

    // The host is taken down with the machine; its port and folder remain for `vm delete`.
    expect(await stopMachines(lab.store)).toEqual(['My VM <&> "1"']);
    expect(await listMachines(lab.store)).toMatchObject([{ status: 'stopped', nics: [{ got: null }, { got: null }] }]);
    for (const stored of await lab.store.list()) await removeMachine(stored, lab);
    await expectNothingLeft();
    await removeMachine({ id: report.instance.id, folder: report.folder }, lab);
  });

  test('does not wait for DHCP on a network without it', async () => {
    const report = await boot({ nics: [{ network: 'silent' }] });
    expect(report).toMatchObject({ right: true, nics: [{ lease: null, problem: 'no DHCP here' }] });
  });

  test('reports an address by DHCP that is not that of the port, and keeps the machine', async () => {
    neutron.faults.wrongAddress = '10.64.0.99';
    const report = await boot();
    expect(report.right).toBe(false);
    expect(bootTable(report)).toContain('vm1: eth0 got 10.64.0.99, its port has 10.64.0.101');
    expect(await listMachines(lab.store)).toMatchObject([{ status: 'running' }]);
  });

  test('reports a missing reply', async () => {
    neutron.faults.wrongAddress = '10.99.0.1';
    const report = await boot({}, { leaseMs: 1_500 });
    expect(report.right).toBe(false);
    expect(report.exchange.every(({ kind, note }) => kind === 'DISCOVER' && note === 'no address available')).toBe(
      true,
    );
    expect(bootTable(report)).toMatch(/eth0 .* nothing +- +- +- +-\nvm1: no DHCP lease for eth0 within 1500 ms/);
  });

  test('rejects invalid requests before it creates anything', async () => {
    await expect(boot({ nics: [{ network: 'net9' }] })).rejects.toThrow('has no network with the id or name "net9"');
    await expect(boot({ nics: [{ network: 'twin' }] })).rejects.toThrow(/^2 networks are named "twin"; use the id: /);
    await expect(boot({ name: 'a/b' })).rejects.toThrow('name "a/b": must have 1 to 255 characters');
    await expect(boot({ nics: [] })).rejects.toThrow('a machine has 1 to 16 networks');
    const unreachable = { ...lab, neutron: neutronAt(nobody) };
    const request = { name: 'vm1', kind: 'namespace', nics: [{ network: 'net1' }] } as const;
    await expect(bootMachine(request, unreachable, limits, () => undefined)).rejects.toThrow(
      /^no Neutrino answers at \S+ \(given\): connect ECONNREFUSED .*; start it with bin\/neutrino up/,
    );
    expect(neutron.asked).toEqual([]);
    expect(existsSync(join(statePath, 'instances'))).toBe(false);

    await boot();
    await expect(boot()).rejects.toThrow('a machine named "vm1" exists already');
  });

  test('fails if a port never becomes ACTIVE, and leaves nothing behind', async () => {
    neutron.faults.neverActive = true;
    await expect(boot({}, { pluggedMs: 500 })).rejects.toThrow(
      /^waited 500 ms for port \S+ of eth0 to become ACTIVE \(the L2 agent of host this-host plugs tap/,
    );
    await expectNothingLeft();
  });

  test('fails if a port cannot be bound, and leaves nothing behind', async () => {
    neutron.faults.bindingFailed = true;
    await expect(boot()).rejects.toThrow(/cannot be bound to host this-host: no live L2 agent/);
    await expectNothingLeft();
  });

  test('leaves nothing behind when it is aborted', async () => {
    neutron.faults.neverActive = true;
    const controller = new AbortController();
    const booting = boot({}, { signal: controller.signal });
    neutron.faults.beforePortAnswer = () => setTimeout(() => controller.abort(new Error('given up')), 100);
    await expect(booting).rejects.toThrow('given up');
    await expectNothingLeft();
  });

  test('without the API, a machine is stopped nevertheless, and can be deleted later', async () => {
    const { instance } = await boot();
    const [stored] = await lab.store.list();
    if (!stored) throw new Error('no machine');
    await expect(removeMachine(stored, { ...lab, neutron: neutronAt(nobody) })).rejects.toThrow('no Neutrino answers');
    expect(await linkExists(instance.nics[0]?.device ?? '')).toBe(false);
    expect(await namespaceExists(guestNamespace(instance.id))).toBe(false);
    expect(await readdir(join(statePath, 'instances'))).toEqual([instance.id]);
    await removeMachine(stored, lab);
    await expectNothingLeft();
  });
});
