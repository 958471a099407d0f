import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type GuestNic, NoLease } from '../../src/lab/contract.ts';
import { guestNamespace, namespaceGuest } from '../../src/lab/namespace-guest.ts';
import { listAddresses } from '../../src/linux/addresses.ts';
import { showLink } from '../../src/linux/links.ts';
import { namespaceExists } from '../../src/linux/namespaces.ts';
import { run } from '../../src/linux/run.ts';
import { linkExists, setMaster } from '../linux/devices.ts';
import { type DnsmasqWorld, startDnsmasqWorld } from './dnsmasq-world.ts';

const MAC = 'fa:16:3e:aa:bb:01';
const OTHER_MAC = 'fa:16:3e:aa:bb:02';

describe.skipIf(process.getuid?.() !== 0)('a namespace guest (needs root)', () => {
  let world: DnsmasqWorld;
  const cleanups: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    world = await startDnsmasqWorld([
      '--dhcp-option=tag:s,option:router,10.64.0.1',
      '--dhcp-option=tag:s,option:dns-server,10.64.0.2,9.9.9.9',
      '--dhcp-option=tag:s,option:mtu,1400',
      '--dhcp-option=tag:s,option:classless-static-route,10.65.0.0/24,0.0.0.0,10.66.0.0/16,10.64.0.9,0.0.0.0/0,10.64.0.1',
      '--dhcp-option=tag:s,249,10.67.0.0/24,10.64.0.8',
      '--domain=openstacklocal',
    ]);
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });
  afterAll(() => world?.stop());

  async function guestWith(...macs: string[]) {
    const id = randomUUID();
    const folder = join(world.folder, id);
    await mkdir(folder);
    const nics: GuestNic[] = macs.map((mac, i) => ({ name: `eth${i}`, mac, device: `t-${i}-${id.slice(0, 8)}` }));
    const guest = namespaceGuest({ id, name: `machine-${id.slice(0, 4)}`, folder, nics });
    cleanups.push(() => guest.stop());
    await guest.plug();
    for (const { device } of nics) await setMaster(device, world.bridge);
    return { guest, id, folder, nics, namespace: guestNamespace(id) };
  }

  test('gets its address and all other options by DHCP', async () => {
    await world.setHosts([`${MAC},host-a,10.64.0.21`]);
    const { guest, namespace, folder } = await guestWith(MAC);
    await guest.start();
    const lease = await guest.lease('eth0', 20_000);
    expect(lease).toMatchObject({
      event: 'bound',
      address: '10.64.0.21',
      mask: '255.255.255.0',
      prefix: 24,
      broadcast: '10.64.0.255',
      routers: ['10.64.0.1'],
      dns: ['10.64.0.2', '9.9.9.9'],
      domain: 'openstacklocal',
      hostname: 'host-a',
      mtu: 1400,
      leaseSeconds: 600,
      server: '10.64.0.2',
      staticRoutes: [
        { destination: '10.65.0.0/24', gateway: '0.0.0.0' },
        { destination: '10.66.0.0/16', gateway: '10.64.0.9' },
        { destination: '0.0.0.0/0', gateway: '10.64.0.1' },
      ],
      msStaticRoutes: [{ destination: '10.67.0.0/24', gateway: '10.64.0.8' }],
    });
    expect(lease.ms).toBeGreaterThan(0);
    expect(Object.keys(lease.raw)).not.toContain('NEUTRINO_FOLDER');

    // It is also configured on the NIC.
    const addresses = await listAddresses('eth0', { namespace });
    expect(addresses.find(({ family }) => family === 4)).toMatchObject({ address: '10.64.0.21', prefixLength: 24 });
    expect((await showLink('eth0', { namespace }))?.mtu).toBe(1400);
    const { stdout: routes } = await run(['ip', '-n', namespace, 'route']);
    expect(routes).toContain('default via 10.64.0.1');
    expect(routes).toContain('10.65.0.0/24 dev eth0');
    expect(routes).toContain('10.66.0.0/16 via 10.64.0.9');
    expect(routes).not.toContain('10.67.0.0/24');
    const { stdout: resolv } = await run(['ip', 'netns', 'exec', namespace, 'cat', '/etc/resolv.conf']);
    expect(resolv).toBe('search openstacklocal\nnameserver 10.64.0.2\nnameserver 9.9.9.9\n');
    await run(['ip', 'netns', 'exec', namespace, 'ping', '-c1', '-W5', '10.64.0.2']);

    // Another process can continue with it and stop it, given only the spec.
    const found = namespaceGuest({ id: namespaceId(folder), name: 'again', folder, nics: [] });
    expect(await found.running()).toBe(true);
    expect((await found.current('eth0'))?.address).toBe('10.64.0.21');
  });

  test('renews, and takes over a changed address', async () => {
    await world.setHosts([`${MAC},host-a,10.64.0.31`]);
    const { guest, namespace } = await guestWith(MAC);
    await guest.start();
    expect((await guest.lease('eth0', 20_000)).address).toBe('10.64.0.31');
    expect(await guest.renew('eth0', 20_000)).toMatchObject({ event: 'renew', address: '10.64.0.31' });

    await world.setHosts([`${MAC},host-a,10.64.0.32`]);
    expect((await guest.renew('eth0', 30_000)).address).toBe('10.64.0.32');
    const addresses = await listAddresses('eth0', { namespace });
    expect(addresses.filter(({ family }) => family === 4).map(({ address }) => address)).toEqual(['10.64.0.32']);
    expect((await run(['ip', '-n', namespace, 'route'])).stdout).toContain('default via 10.64.0.1');
  });

  test('runs clients on several NICs, and names the one without a reply', async () => {
    await world.setHosts([`${MAC},host-a,10.64.0.41`]);
    const { guest } = await guestWith(MAC, OTHER_MAC);
    await guest.start();
    expect((await guest.lease('eth0', 20_000)).address).toBe('10.64.0.41');
    const silent = guest.lease('eth1', 1_500);
    await expect(silent).rejects.toThrow(NoLease);
    await expect(silent).rejects.toThrow(/machine-.*: no DHCP lease for eth1 within 1500 ms \(.*udhcpc.*\)/);
    expect(await guest.current('eth1')).toBeUndefined();
    await expect(guest.renew('eth7', 100)).rejects.toThrow('no DHCP client runs on eth7');
  });

  test('leaves nothing behind, wherever it stopped', async () => {
    await world.setHosts([]);
    const whole = await guestWith(MAC);
    await whole.guest.start();
    await whole.guest.stop();
    expect(await whole.guest.running()).toBe(false);
    expect(await namespaceExists(whole.namespace)).toBe(false);
    expect(await linkExists(whole.nics[0]?.device ?? '')).toBe(false);
    await expect(readFile(`/etc/netns/${whole.namespace}/resolv.conf`)).rejects.toThrow('ENOENT');
    await whole.guest.stop();

    const half = await guestWith(OTHER_MAC);
    await expect(half.guest.plug()).rejects.toThrow(`namespace ${half.namespace} exists already`);
    await half.guest.stop();
    expect(await namespaceExists(half.namespace)).toBe(false);
  });
});

function namespaceId(folder: string): string {
  return folder.split('/').at(-1) ?? '';
}
