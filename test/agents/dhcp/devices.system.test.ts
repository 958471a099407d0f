import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeviceSpec } from '../../../src/agents/dhcp/device-plan.ts';
import { type DhcpDevices, dhcpDevices } from '../../../src/agents/dhcp/devices.ts';
import { defaultConfig } from '../../../src/config/options.ts';
import { listAddresses } from '../../../src/linux/addresses.ts';
import { ipBatch } from '../../../src/linux/ip.ts';
import { addVethCommand, deleteLink, listLinks, showLink } from '../../../src/linux/links.ts';
import { deleteNamespace, namespaceExists } from '../../../src/linux/namespaces.ts';
import { isDefaultRoute } from '../../../src/linux/routes.ts';
import { dhcpNamespace, tapName } from '../../../src/net/device-names.ts';
import { addBridge, linkExists, listRoutes, readSysctl, setMaster } from '../../linux/devices.ts';
import { needsRoot } from '../../linux/root.ts';

const log = pino({ level: 'silent' });

function devicesOf(host: string): Promise<DhcpDevices> {
  const { DEFAULT, ovs } = defaultConfig();
  return dhcpDevices({ config: { DEFAULT: { ...DEFAULT, host }, ovs }, log });
}

describe.skipIf(needsRoot)('devices of DHCP ports (needs root)', () => {
  let host: string;
  let devices: DhcpDevices;
  let networkId: string;
  let spec: DeviceSpec;
  const others: (() => Promise<unknown>)[] = [];

  function specOf(portId: string = randomUUID(), more: Partial<DeviceSpec> = {}): DeviceSpec {
    return {
      networkId,
      namespace: dhcpNamespace(networkId),
      device: tapName(portId),
      portId,
      mac: 'fa:16:3e:12:34:56',
      mtu: 1442,
      addresses: ['10.0.0.2/24', '10.0.50.2/24', 'fd00::2/64'],
      gateways: [
        { address: '10.0.0.1', outside: false },
        { address: 'fd00::1', outside: false },
      ],
      ...more,
    };
  }
  async function state(namespace = spec.namespace) {
    const links = await listLinks({ namespace });
    const routes = (await listRoutes({ namespace })).filter(isDefaultRoute);
    return { links, routes };
  }
  const addresses = async () =>
    (await listAddresses(spec.device, spec))
      .filter((one) => one.scope !== 'link')
      .map((one) => `${one.address}/${one.prefixLength}`);

  beforeEach(async () => {
    host = `test-${randomUUID()}`;
    networkId = randomUUID();
    spec = specOf();
    devices = await devicesOf(host);
  });
  afterEach(async () => {
    await devices.remove(networkId);
    await devices.close();
    for (const clean of others.splice(0)) await clean();
  });

  it('are a pair: one end on the host, one in the network namespace with MAC, MTU, addresses and the ways out', async () => {
    await devices.ensure(spec);
    const { links, routes } = await state();
    const inner = links.find((link) => link.name === spec.device);
    const outer = await showLink(spec.device);
    expect(inner).toMatchObject({ mac: spec.mac, mtu: 1442, up: true, peerIndex: outer?.index });
    expect(outer).toMatchObject({ mtu: 1442, up: true, peerIndex: inner?.index });
    expect(links.find((link) => link.name === 'lo')).toMatchObject({ up: true });
    expect(await addresses()).toEqual(spec.addresses);
    expect(routes.map((route) => route.gateway)).toEqual(['10.0.0.1', 'fd00::1']);
    expect(await readSysctl('net/ipv6/conf/default/accept_ra', spec)).toBe('0');
    expect(await readSysctl(`net/ipv6/conf/${spec.device}/accept_ra`, spec)).toBe('0');
  });

  it('are left as they are when they are right, plugged into a bridge or not', async () => {
    await devices.ensure(spec);
    const bridge = `brt${randomUUID().slice(0, 8)}`;
    others.push(() => deleteLink(bridge));
    await addBridge(bridge);
    await setMaster(spec.device, bridge);
    const before = [await state(), await showLink(spec.device)];
    const again = await devicesOf(host);
    await again.ensure(spec);
    await again.close();
    expect([await state(), await showLink(spec.device)]).toEqual(before);
  });

  it('get other addresses, MTU and gateway without being made anew', async () => {
    await devices.ensure(spec);
    const before = await showLink(spec.device);
    await devices.ensure({
      ...spec,
      mtu: 1400,
      addresses: ['10.0.0.3/24', '10.0.50.2/24', 'fd00::3/64'],
      gateways: [{ address: '192.0.2.1', outside: true }],
    });
    expect((await addresses()).sort()).toEqual(['10.0.0.3/24', '10.0.50.2/24', 'fd00::3/64']);
    expect((await state()).routes.map((route) => route.gateway)).toEqual(['192.0.2.1']);
    expect(await showLink(spec.device)).toEqual({ ...before, mtu: 1400 });
  });

  it('of an earlier DHCP port are replaced by that of the new one', async () => {
    await devices.ensure(spec);
    const next = specOf();
    await devices.ensure(next);
    expect((await state()).links.map((link) => link.name).sort()).toEqual(['lo', next.device].sort());
    expect(await linkExists(spec.device)).toBe(false);
  });

  it.each([
    ['the namespace and its device are gone', () => deleteNamespace(spec.namespace)],
    ['the device is gone', () => deleteLink(spec.device)],
    ['the device was taken down', () => ipBatch([['link', 'set', spec.device, 'down']], spec)],
    ['its addresses were flushed', () => ipBatch([['addr', 'flush', 'dev', spec.device]], spec)],
    [
      'another device has its name on the host',
      async () => {
        await deleteLink(spec.device);
        await ipBatch([['link', 'add', spec.device, 'type', 'bridge']]);
      },
    ],
    [
      'making it was cut short after the pair',
      async () => {
        await deleteNamespace(spec.namespace);
        await deleteLink(spec.device);
        await ipBatch([
          ['netns', 'add', spec.namespace],
          addVethCommand(
            { name: spec.device },
            { name: spec.device, namespace: spec.namespace, mac: spec.mac },
            spec.mtu,
          ),
        ]);
      },
    ],
  ])('are brought back when %s', async (_what, harm) => {
    await devices.ensure(spec);
    await harm();
    await devices.ensure(spec);
    const inner = (await state()).links.find((link) => link.name === spec.device);
    expect(inner).toMatchObject({ mac: spec.mac, up: true, peerIndex: (await showLink(spec.device))?.index });
    expect((await addresses()).sort()).toEqual([...spec.addresses].sort());
    expect((await state()).routes.map((route) => route.gateway)).toEqual(['10.0.0.1', 'fd00::1']);
    expect(await readSysctl(`net/ipv6/conf/${spec.device}/accept_ra`, spec)).toBe('0');
  });

  it('are made again while the old namespace lives on in a process', async () => {
    await devices.ensure(spec);
    const child: ChildProcess = spawn('ip', ['netns', 'exec', spec.namespace, 'sleep', '100'], { stdio: 'ignore' });
    others.push(async () => child.kill('SIGKILL'));
    await vi.waitFor(async () => expect(await readNetns(child.pid)).toBe(true), { timeout: 10_000 });
    await deleteNamespace(spec.namespace);
    expect(await linkExists(spec.device)).toBe(true);
    await devices.ensure(spec);
    expect((await addresses()).sort()).toEqual([...spec.addresses].sort());
  });

  it('are removed with their namespace, also by a process that did not make them; twice is no error', async () => {
    await devices.ensure(spec);
    const later = await devicesOf(host);
    await later.remove(networkId);
    await later.remove(networkId);
    await later.close();
    expect(await namespaceExists(spec.namespace)).toBe(false);
    expect(await linkExists(spec.device)).toBe(false);
  });

  it('are known as this agent’s own after a restart, and as nobody else’s', async () => {
    await devices.ensure(spec);
    const [later, stranger] = await Promise.all([devicesOf(host), devicesOf(`${host}x`)]);
    try {
      expect(await later.owned()).toEqual([networkId]);
      expect(await stranger.owned()).toEqual([]);
      // Cut short between namespace and device, a removal leaves the mark.
      await deleteNamespace(spec.namespace);
      await later.remove(networkId);
      expect(await linkExists(spec.device)).toBe(false);
      expect(await later.owned()).toEqual([]);
    } finally {
      await Promise.all([later.close(), stranger.close()]);
    }
  });

  it('are brought back when they were harmed after a sync had found them', async () => {
    const other = randomUUID();
    const marker = { ...specOf(), networkId: other, namespace: dhcpNamespace(other) };
    others.push(() => devices.remove(other));
    await devices.ensure(spec);
    await devices.ensure(marker);
    const later = await devicesOf(host);
    try {
      const lost: string[] = [];
      later.onLost((id) => lost.push(id));
      await later.owned();
      await ipBatch([['link', 'set', spec.device, 'down']]);
      // What is told of this one is told after the other's harm.
      await deleteLink(marker.device);
      await vi.waitFor(() => expect(lost).toEqual([other]), { timeout: 20_000, interval: 5 });
      await later.ensure(spec);
    } finally {
      await later.close();
    }
    expect(await showLink(spec.device)).toMatchObject({ up: true });
  });

  it('are missed when somebody else removes them, and not when the agent does', async () => {
    const lost: string[] = [];
    devices.onLost((id) => lost.push(id));
    await devices.ensure(spec);
    await deleteLink(spec.device);
    await vi.waitFor(() => expect(lost).toEqual([networkId]), { timeout: 20_000, interval: 5 });
    await devices.ensure(spec);
    await devices.remove(networkId);
    const other = randomUUID();
    const marker = { ...specOf(), networkId: other, namespace: dhcpNamespace(other) };
    others.push(() => devices.remove(other));
    // The monitor tells in order: when it has told of this one, it would have told of the removal before.
    await devices.ensure(marker);
    await deleteLink(marker.device);
    await vi.waitFor(() => expect(lost).toContain(other), { timeout: 20_000, interval: 5 });
    expect(lost).toEqual([networkId, other]);
  });

  it('refuse a network whose id would lead elsewhere', async () => {
    await expect(devices.ensure({ ...spec, namespace: 'qdhcp-../../x' })).rejects.toThrow('qdhcp-../../x');
    await expect(devices.ensure({ ...spec, mac: 'fa:16 up' })).rejects.toThrow('cannot be a word');
  });
});

async function readNetns(pid: number | undefined): Promise<boolean> {
  const { readlink } = await import('node:fs/promises');
  const [own, its] = await Promise.all([readlink('/proc/self/ns/net'), readlink(`/proc/${pid}/ns/net`)]);
  return own !== its;
}
