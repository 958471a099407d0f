import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../../../../src/linux/run.ts';
import type { PortDocument } from '../../../../../src/rpc/documents.ts';
import { waitFor } from '../../../../../src/time/wait.ts';
import { advertise, Dhclient, Dhcpcd } from './ipv6-clients.ts';
import { isRoot, macOf, World } from './world.ts';

const FOREVER = '4294967295';

describe.skipIf(!isRoot)('the life of a lease (needs root)', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(() => world.close());

  /** A port with one address of each family. */
  const port = (n: number, host = n): PortDocument =>
    world.port(n, {
      fixed_ips: [
        { subnet_id: 's1', ip_address: `10.0.0.${host}` },
        { subnet_id: 's6', ip_address: `fd00:6::a:${host}` },
      ],
    });
  const wanted = (ports: readonly PortDocument[]) => {
    const stateful = { ipv6_ra_mode: 'dhcpv6-stateful', ipv6_address_mode: 'dhcpv6-stateful' };
    const six = world.subnet('s6', 'fd00:6::/64', { ip_version: 6, gateway_ip: 'fd00:6::1', ...stateful });
    return world.wanted(ports, { subnets: [world.subnet(), six] });
  };

  test.each<[what: string, change: { set: (n: typeof port) => PortDocument[]; removed: (n: typeof port) => string[] }]>(
    [
      ['of a port deleted in the same change', { set: (p) => [p(0x12, 11)], removed: (p) => [p(0x11, 11).id] }],
      ['of a port whose address changed', { set: (p) => [p(0x11, 99), p(0x12, 11)], removed: () => [] }],
    ],
  )(
    'an address %s is the next MAC’s at once, IPv4 and IPv6, although the first machine still runs',
    async (_, change) => {
      await run(['ip', '-n', world.namespace, 'addr', 'add', 'fd00:6::2/64', 'dev', world.device, 'nodad']);
      await advertise(world, 'fd00:6::/64', ['managed', 'other']);
      const driver = world.driver();
      await driver.serve(wanted([port(0x11, 11)]));
      const first = await world.client(0x11);
      expect((await first.boot()).ip).toBe('10.0.0.11');
      const first6 = await Dhcpcd.create(world, macOf(0x11));
      expect((await first6.boot('BOUND6')).new_dhcp6_ia_na1_ia_addr1).toBe('fd00:6::a:11');
      expect(await world.read('leases')).toContain(' fd00:6::a:11 ');

      await driver.portsChanged(world.id, { set: change.set(port), removed: change.removed(port) });
      expect(await world.read('leases')).not.toMatch(/ (10\.0\.0\.11|fd00:6::a:11) /);
      expect((await (await world.client(0x12)).ask())?.ip).toBe('10.0.0.11');
      const next6 = await (await Dhclient.create(world, macOf(0x12))).ask();
      expect(next6.new_ip6_address).toBe('fd00:6::a:11');
    },
  );

  test.each([
    ['86400 s', 86_400, '86400'],
    ['for ever', -1, FOREVER],
  ])('a lease time shortened from %s causes no NAK: machines renew, and get the new one', async (_, before, told) => {
    const ports = [world.port(11)];
    await world.driver({ dhcp_lease_duration: before }).serve(world.wanted(ports));
    const client = await world.client(11);
    expect(await client.boot()).toMatchObject({ ip: '10.0.0.11', lease: told });
    const pid = await world.pid();
    await world.driver({ dhcp_lease_duration: 120 }).serve(world.wanted(ports));
    expect(await world.pid()).not.toBe(pid);
    for (const _round of [1, 2]) {
      const renewed = await client.renew();
      expect(renewed.events).toEqual(['renew']);
      expect(renewed.told).toMatchObject({ ip: '10.0.0.11', lease: '120' });
    }
    expect(await world.read('log')).not.toContain('DHCPNAK');
  });

  test('renewal and rebinding time, and the operator’s file, reach the machine', async () => {
    const file = join(world.state, 'operator.conf');
    await writeFile(file, 'dhcp-option-force=option:ntp-server,10.0.0.9\n');
    const options = { dhcp_renewal_time: 100, dhcp_rebinding_time: 200, dnsmasq_config_file: file };
    await world.driver(options).serve(world.wanted([world.port(11)]));
    const told = await (await world.client(11)).ask(['-O', '58', '-O', '59', '-O', 'ntpsrv']);
    // Four bytes, hexadecimal.
    expect(told).toMatchObject({ opt58: '00000064', opt59: '000000c8', ntpsrv: '10.0.0.9' });
  });

  test('dnsmasq_lease_max bounds the leases of a network', async () => {
    await world.driver({ dnsmasq_lease_max: 1 }).serve(world.wanted([world.port(11), world.port(12)]));
    expect((await (await world.client(11)).ask())?.ip).toBe('10.0.0.11');
    // It asks again and again; `close` ends it.
    const second = (await world.client(12)).boot().catch(() => undefined);
    await Promise.race([
      second,
      waitFor('a refusal', async () => (await world.read('log')).includes('no leases left'), 10_000),
    ]);
    expect(await world.read('leases')).toMatch(/^\d+ \S+ 10\.0\.0\.11 .*\n$/);
  });
});
