import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Document } from '../../../src/plugin/module.ts';
import { openWorld, outcomeOf, type World } from './world.ts';

let world: World;
let network_id: string;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());
beforeEach(async () => {
  network_id = (await world.networks.create({ name: 'n' })).id;
  await world.told();
});

const SLAAC = { ip_version: 6, cidr: 'fd00:6::/64', ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
const v4 = (cidr = '10.0.0.0/24') => world.subnets.create({ network_id, ip_version: 4, cidr });
const addresses = (port: Document) => (port.fixed_ips as { ip_address: string }[]).map((ip) => ip.ip_address);

describe('a new subnet with addresses derived from MACs', () => {
  test('adds addresses to the ports of its network except routers, with a notification and a new revision for each', async () => {
    await v4();
    const port = await world.ports.create({ network_id, mac_address: '02:00:00:00:00:01' });
    const dhcp = await world.ports.create({
      network_id,
      mac_address: '02:00:00:00:00:02',
      device_owner: 'network:dhcp',
    });
    const router = await world.ports.create({ network_id, device_owner: 'network:router_interface' });
    await world.told();
    const subnet = await world.subnets.create({ network_id, ...SLAAC });
    const after = await world.ports.show(port.id);
    expect(addresses(after)).toEqual(expect.arrayContaining([...addresses(port), 'fd00:6::ff:fe00:1']));
    expect(after.revision_number).toBe(Number(port.revision_number) + 1);
    expect(addresses(await world.ports.show(dhcp.id))).toContain('fd00:6::ff:fe00:2');
    expect(await world.ports.show(router.id)).toEqual(router);
    const told = await world.told();
    expect(told[0]).toEqual({ method: 'subnet_create_end', payload: { subnet } });
    expect(told.filter((e) => e.method === 'port_update_end').map((e) => e.payload.port)).toEqual(
      expect.arrayContaining([after, await world.ports.show(dhcp.id)]),
    );
    expect(told).toHaveLength(3);
  });

  test('adds no addresses to existing ports with stateful DHCPv6, or without modes', async () => {
    const port = await world.ports.create({ network_id });
    await world.subnets.create({
      network_id,
      ...SLAAC,
      ipv6_ra_mode: 'dhcpv6-stateful',
      ipv6_address_mode: 'dhcpv6-stateful',
    });
    await world.subnets.create({ network_id, ip_version: 6, cidr: 'fd00:7::/64' });
    expect(await world.ports.show(port.id)).toEqual(port);
  });

  test('adds addresses to any number of ports', async () => {
    await world.ports.createAll(Array.from({ length: 1100 }, () => ({ network_id })));
    await world.told();
    const { id } = await world.subnets.create({ network_id, ...SLAAC });
    const rows = await world.core.db.kysely
      .selectFrom('ipallocations')
      .select('ip_address')
      .where('subnet_id', '=', id)
      .execute();
    expect(new Set(rows.map((r) => r.ip_address)).size).toBe(1100);
    const told = await world.told();
    expect(told.filter((e) => e.method === 'port_update_end')).toHaveLength(1100);
    await world.subnets.remove(id);
    expect((await world.told()).map((e) => e.method).at(-1)).toBe('subnet_delete_end');
  });
});

describe('deleting a subnet', () => {
  test('removes its row, pools, servers, routes and types, notifies agents, and increments the revision of its network', async () => {
    const { db } = world.core;
    const { id } = await world.subnets.create({
      network_id,
      ip_version: 4,
      cidr: '10.0.0.0/24',
      dns_nameservers: ['10.0.0.5'],
      host_routes: [{ destination: '10.5.0.0/16', nexthop: '10.0.0.3' }],
      service_types: ['compute:nova'],
    });
    const attrs = () =>
      db.kysely.selectFrom('standardattributes').select('id').where('resource_type', '=', 'subnets').execute();
    const before = await world.networks.show(network_id);
    const attrsBefore = (await attrs()).length;
    await world.told();
    await world.subnets.remove(id);
    expect(await world.told()).toEqual([{ method: 'subnet_delete_end', payload: { subnet_id: id, network_id } }]);
    for (const table of ['ipallocationpools', 'dnsnameservers', 'subnetroutes', 'subnet_service_types'] as const)
      expect(await db.kysely.selectFrom(table).selectAll().where('subnet_id', '=', id).execute(), table).toEqual([]);
    expect((await attrs()).length).toBe(attrsBefore - 1);
    const after = await world.networks.show(network_id);
    expect([after.subnets, after.revision_number]).toEqual([[], Number(before.revision_number) + 1]);
    expect(await outcomeOf(world.subnets.remove(id))).toBe('SubnetNotFound');
  });

  test('fails while a port has an address in it', async () => {
    const { id } = await v4();
    const port = await world.ports.create({ network_id });
    expect(await outcomeOf(world.subnets.remove(id))).toBe('SubnetInUse');
    await world.ports.remove(port.id);
    expect(await outcomeOf(world.subnets.remove(id))).toBe('fine');
  });

  test('removes the address of a DHCP port, which keeps the others', async () => {
    const [gone, stays] = [await v4('10.0.0.0/24'), await v4('10.1.0.0/24')];
    const fixed_ips = [{ subnet_id: gone.id }, { subnet_id: stays.id }];
    const dhcp = await world.ports.create({ network_id, device_owner: 'network:dhcp', fixed_ips });
    await world.told();
    await world.subnets.remove(gone.id);
    const after = await world.ports.show(dhcp.id);
    expect(after.fixed_ips).toEqual([{ subnet_id: stays.id, ip_address: expect.stringMatching(/^10\.1\.0\./) }]);
    expect((await world.told()).map((e) => e.method)).toEqual(['port_update_end', 'subnet_delete_end']);
  });

  test('removes addresses derived from MACs, but fails while a router has one', async () => {
    const { id } = await world.subnets.create({ network_id, ...SLAAC });
    const port = await world.ports.create({ network_id });
    const router = await world.ports.create({
      network_id,
      device_owner: 'network:router_interface',
      fixed_ips: [{ subnet_id: id, ip_address: 'fd00:6::1' }],
    });
    expect(await outcomeOf(world.subnets.remove(id))).toBe('SubnetInUse');
    await world.ports.remove(router.id);
    await world.subnets.remove(id);
    const after = await world.ports.show(port.id);
    expect([after.fixed_ips, after.revision_number]).toEqual([[], Number(port.revision_number) + 1]);
  });

  test('happens with its network, including the addresses of DHCP ports', async () => {
    const { id } = await v4();
    await world.ports.create({ network_id, device_owner: 'network:dhcp' });
    await world.networks.remove(network_id);
    expect(await outcomeOf(world.subnets.show(id))).toBe('SubnetNotFound');
    const left = await world.core.db.kysely
      .selectFrom('ipallocations')
      .selectAll()
      .where('subnet_id', '=', id)
      .execute();
    expect(left).toEqual([]);
  });
});
