import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NoLease } from '../../src/lab/contract.ts';
import type { PortDocument } from '../../src/rpc/documents.ts';
import { waitFor } from '../../src/time/wait.ts';
import { type PortGuest, startPortGuest } from '../support/hosts/port-guest.ts';
import { startUp, type Up } from './up.ts';

const LEASE_MS = 20_000;

describe.skipIf(process.getuid?.() !== 0)('a machine and its address (needs root)', () => {
  let neutrino: Up;
  const guests: PortGuest[] = [];

  beforeAll(async () => {
    neutrino = await startUp();
  });
  afterAll(async () => {
    for (const guest of guests) await guest.stop();
    await neutrino?.dispose();
  });

  async function boot(...ports: readonly PortDocument[]): Promise<PortGuest> {
    const guest = await startPortGuest(ports);
    guests.push(guest);
    return guest;
  }
  const portNow = (id: string) => neutrino.api.port(id);

  test('gets the address of fixed_ips, and all options of its subnet: name, router, DNS, mask, broadcast, lease, MTU, routes', async () => {
    const network = await neutrino.api.network({
      cidr: '10.91.0.0/22',
      ip_version: 4,
      dns_nameservers: ['10.91.0.53', '10.91.0.54'],
      host_routes: [{ destination: '10.99.0.0/16', nexthop: '10.91.0.9' }],
    });
    const port = await neutrino.port(network);
    const lease = await (await boot(port)).lease('eth0', LEASE_MS);
    expect(lease.address).toBe(port.fixed_ips[0]?.ip_address);
    expect(lease).toMatchObject({
      mask: '255.255.252.0',
      prefix: 22,
      broadcast: '10.91.3.255',
      routers: ['10.91.0.1'],
      dns: ['10.91.0.53', '10.91.0.54'],
      domain: 'openstacklocal',
      hostname: `host-${lease.address.replaceAll('.', '-')}`,
      mtu: 1450,
      leaseSeconds: 86400,
    });
    for (const routes of [lease.staticRoutes, lease.msStaticRoutes])
      expect(routes).toEqual(
        expect.arrayContaining([
          { destination: '10.99.0.0/16', gateway: '10.91.0.9' },
          { destination: '0.0.0.0/0', gateway: '10.91.0.1' },
        ]),
      );
  });

  test('a port is DOWN, then ACTIVE once it is wired and served by DHCP, and DOWN again when its device vanishes', async () => {
    const network = await neutrino.api.network('10.92.0.0/24');
    const port = await neutrino.port(network);
    expect(port.status).toBe('DOWN');
    expect(port).toMatchObject({ 'binding:vif_type': 'bridge' });
    const guest = await startPortGuest([port]);
    try {
      await waitFor('the port to be ACTIVE', async () => (await portNow(port.id)).status === 'ACTIVE' || undefined, {
        timeoutMs: LEASE_MS,
      });
    } finally {
      await guest.stop();
    }
    await waitFor('the port to be DOWN', async () => (await portNow(port.id)).status === 'DOWN' || undefined, {
      timeoutMs: LEASE_MS,
    });
  });

  test('two NICs on two networks get an address each', async () => {
    const ports = [
      await neutrino.port(await neutrino.api.network('10.93.0.0/24')),
      await neutrino.port(await neutrino.api.network('10.94.0.0/24')),
    ];
    const guest = await boot(...ports);
    for (const [i, port] of ports.entries())
      expect((await guest.lease(`eth${i}`, LEASE_MS)).address).toBe(port.fixed_ips[0]?.ip_address);
  });

  test('several subnets on one network each serve their own', async () => {
    const network = await neutrino.api.network('10.95.0.0/24', '10.95.50.0/24');
    for (const ip of ['10.95.0.20', '10.95.50.20']) {
      const port = await neutrino.port(network, { fixed_ips: [{ ip_address: ip }] });
      expect((await (await boot(port)).lease('eth0', LEASE_MS)).address).toBe(ip);
    }
  });

  test('the next lease contains an address changed by PUT', async () => {
    const network = await neutrino.api.network('10.96.0.0/24');
    const port = await neutrino.port(network, { fixed_ips: [{ ip_address: '10.96.0.10' }] });
    const guest = await boot(port);
    expect((await guest.lease('eth0', LEASE_MS)).address).toBe('10.96.0.10');
    await neutrino.api.update('port', port.id, { fixed_ips: [{ ip_address: '10.96.0.11' }] });
    await waitFor(
      'the new address in the host file',
      async () => (await neutrino.file(network, 'host')).includes('10.96.0.11') || undefined,
      { timeoutMs: LEASE_MS },
    );
    const renewed = await waitFor(
      'a lease of the new address',
      async () => {
        const lease = await guest.renew('eth0', LEASE_MS);
        return lease.address === '10.96.0.11' ? lease : undefined;
      },
      { timeoutMs: 60_000 },
    );
    expect(renewed.address).toBe('10.96.0.11');
  });

  test('deleted ports and unknown MACs get no reply; a released address goes to the next port', async () => {
    const network = await neutrino.api.network('10.97.0.0/24');
    const port = await neutrino.port(network, { fixed_ips: [{ ip_address: '10.97.0.10' }] });
    const first = await startPortGuest([port]);
    expect((await first.lease('eth0', LEASE_MS)).address).toBe('10.97.0.10');
    await neutrino.api.delete('port', port.id);
    await first.stop();
    const next = await neutrino.port(network, { fixed_ips: [{ ip_address: '10.97.0.10' }] });
    expect((await (await boot(next)).lease('eth0', LEASE_MS)).address).toBe('10.97.0.10');
    // The device is plugged according to its name; its MAC does not belong to a port.
    const other = await neutrino.port(network);
    for (const mac of ['02:00:00:00:97:99', port.mac_address]) {
      const stranger = await startPortGuest([{ ...other, mac_address: mac }]);
      await expect(stranger.lease('eth0', 4_000)).rejects.toThrow(NoLease);
      await stranger.stop();
    }
  });

  test('DHCP options of a port are received', async () => {
    const network = await neutrino.api.network('10.98.0.0/24');
    const port = await neutrino.port(network, {
      extra_dhcp_opts: [
        { opt_name: 'mtu', opt_value: '1300' },
        { opt_name: 'ntp-server', opt_value: '10.98.0.77' },
      ],
    });
    const lease = await (await boot(port)).lease('eth0', LEASE_MS);
    expect(lease.mtu).toBe(1300);
  });
});
