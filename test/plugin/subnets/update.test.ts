import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Made, openWorld, outcomeOf, type World } from './world.ts';

let world: World;
let network_id: string;
let subnet: Made;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());
beforeEach(async () => {
  network_id = (await world.networks.create({ name: 'n' })).id;
  const allocation_pools = [{ start: '10.0.0.10', end: '10.0.0.20' }];
  subnet = await world.subnets.create({ network_id, ip_version: 4, cidr: '10.0.0.0/24', allocation_pools });
  await world.told();
});

const update = (changes: object, revision?: number) => world.subnets.update(subnet.id, { ...changes }, revision);

describe('an update of a subnet', () => {
  test('changes only the given attributes, and notifies agents', async () => {
    const after = await update({ name: 'new', description: 'why', dns_nameservers: ['10.9.9.9', '10.1.1.1'] });
    const { updated_at } = after;
    const wanted = { name: 'new', description: 'why', dns_nameservers: ['10.9.9.9', '10.1.1.1'], updated_at };
    expect(after).toEqual({ ...subnet, ...wanted, revision_number: 1 });
    expect(await world.told()).toEqual([{ method: 'subnet_update_end', payload: { subnet: after } }]);
    expect(await world.subnets.show(subnet.id)).toEqual(after);
  });

  test('increments the revisions of the subnet and its network even if it is empty', async () => {
    const before = await world.networks.show(network_id);
    expect((await update({})).revision_number).toBe(1);
    expect((await update({ name: subnet.name })).revision_number).toBe(2);
    expect((await world.networks.show(network_id)).revision_number).toBe(Number(before.revision_number) + 2);
  });

  test('replaces whole lists: servers, routes, service types, pools', async () => {
    const routes = [
      { destination: '10.5.0.0/16', nexthop: '10.0.0.3' },
      { destination: '10.6.0.0/16', nexthop: '10.0.0.3' },
    ];
    await update({ dns_nameservers: ['10.0.0.5'], host_routes: routes, service_types: ['compute:nova'] });
    const pools = [
      { start: '10.0.0.30', end: '10.0.0.40' },
      { start: '10.0.0.50', end: '10.0.0.60' },
    ];
    const one = await update({
      host_routes: routes.slice(1),
      service_types: ['network:dhcp'],
      allocation_pools: pools,
    });
    const wanted = { host_routes: routes.slice(1), service_types: ['network:dhcp'], allocation_pools: pools };
    expect(one).toMatchObject({ ...wanted, dns_nameservers: ['10.0.0.5'] });
    const none = { dns_nameservers: [], host_routes: [], service_types: [], allocation_pools: [] };
    expect(await update(none)).toMatchObject(none);
    expect(await update({ dns_nameservers: null, host_routes: null })).toMatchObject({ dns_nameservers: [] });
  });

  test.each([
    ['gateway into a pool', { gateway_ip: '10.0.0.15' }, 'GatewayConflictWithAllocationPools'],
    [
      'pool over the gateway',
      { allocation_pools: [{ start: '10.0.0.1', end: '10.0.0.9' }] },
      'GatewayConflictWithAllocationPools',
    ],
    [
      'both, and they agree',
      { gateway_ip: '10.0.0.15', allocation_pools: [{ start: '10.0.0.1', end: '10.0.0.9' }] },
      'fine',
    ],
    [
      'no gateway, pool over what it was',
      { gateway_ip: null, allocation_pools: [{ start: '10.0.0.1', end: '10.0.0.9' }] },
      'fine',
    ],
    ['gateway elsewhere', { gateway_ip: '172.16.0.1' }, 'fine'],
    ['gateway to the network address', { gateway_ip: '10.0.0.0' }, 'InvalidInput'],
    ['gateway of the other version', { gateway_ip: 'fd00::1' }, 'InvalidInput'],
    [
      'pools that overlap',
      {
        allocation_pools: [
          { start: '10.0.0.30', end: '10.0.0.40' },
          { start: '10.0.0.40', end: '10.0.0.50' },
        ],
      },
      'OverlappingAllocationPools',
    ],
    [
      'too many DNS servers',
      { dns_nameservers: [1, 2, 3, 4, 5, 6].map((n) => `10.0.0.${n}`) },
      'DNSNameServersExhausted',
    ],
    ['DNS server of the other version', { dns_nameservers: ['fd00::53'] }, 'InvalidInput'],
    [
      'route of the other version',
      { host_routes: [{ destination: 'fd00::/64', nexthop: '10.0.0.2' }] },
      'InvalidInput',
    ],
    ['the prefix', { cidr: '10.0.0.0/25' }, 'HTTPBadRequest'],
    ['the network', { network_id: '99999999-9999-9999-9999-999999999999' }, 'HTTPBadRequest'],
    ['the IPv6 mode', { ipv6_ra_mode: 'slaac' }, 'HTTPBadRequest'],
    ['a segment that is not there', { segment_id: '99999999-9999-9999-9999-999999999999' }, 'SegmentNotFound'],
  ])('%s', async (_, changes, outcome) => {
    expect(await outcomeOf(Promise.resolve().then(() => update(changes)))).toBe(outcome);
    expect((await world.subnets.show(subnet.id)).revision_number).toBe(outcome === 'fine' ? 1 : 0);
    expect((await world.told()).length).toBe(outcome === 'fine' ? 1 : 0);
  });

  test('cannot change the gateway while a router has its address', async () => {
    const router = { network_id, device_owner: 'network:router_interface', fixed_ips: [{ ip_address: '10.0.0.1' }] };
    await world.ports.create(router);
    expect(await outcomeOf(update({ gateway_ip: '10.0.0.2' }))).toBe('GatewayIpInUse');
    expect(await outcomeOf(update({ gateway_ip: '10.0.0.1' }))).toBe('fine');
    expect(await outcomeOf(update({ gateway_ip: null }))).toBe('fine');
  });

  test('enables DHCP only where possible, and disables it only without IPv6 modes', async () => {
    const tiny = await world.subnets.create({ network_id, ip_version: 4, cidr: '10.1.0.0/31', enable_dhcp: false });
    expect(await outcomeOf(world.subnets.update(tiny.id, { enable_dhcp: true }))).toBe('InvalidInput');
    const slaac = { network_id, ip_version: 6, cidr: 'fd00::/64', ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
    const { id } = await world.subnets.create(slaac);
    expect(await outcomeOf(world.subnets.update(id, { enable_dhcp: false }))).toBe('InvalidInput');
    expect((await update({ enable_dhcp: false })).enable_dhcp).toBe(false);
    expect((await update({ enable_dhcp: true })).enable_dhcp).toBe(true);
  });

  test('keeps addresses of ports outside of new pools', async () => {
    const port = await world.ports.create({ network_id });
    await update({ allocation_pools: [{ start: '10.0.0.100', end: '10.0.0.101' }] });
    expect((await world.ports.show(port.id)).fixed_ips).toEqual(port.fixed_ips);
  });

  test('with If-Match succeeds for only one of several clients, whatever the number of servers', async () => {
    const servers = [world, world.second(), world.second()];
    for (let revision = 0; revision < 5; revision++) {
      const attempts = servers.flatMap((server, i) =>
        [0, 1].map((j) => outcomeOf(server.subnets.update(subnet.id, { name: `${revision}-${i}-${j}` }, revision))),
      );
      const outcomes = (await Promise.all(attempts)).sort();
      expect(outcomes).toEqual([...Array<string>(5).fill('RevisionNumberConstraintFailed'), 'fine']);
    }
    expect(await outcomeOf(world.subnets.remove(subnet.id, 4))).toBe('RevisionNumberConstraintFailed');
    expect(await outcomeOf(world.subnets.remove(subnet.id, 5))).toBe('fine');
  });
});
