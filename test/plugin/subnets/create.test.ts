import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { memberOf } from '../../support/core.ts';
import { openWorld, outcomeOf, type World } from './world.ts';

let world: World;
let network_id: string;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());
// Each test has its own network, and only sees its own notifications.
beforeEach(async () => {
  network_id = (await world.networks.create({ name: 'n' })).id;
  await world.told();
});

const v4 = (cidr: string, values = {}) => world.subnets.create({ network_id, ip_version: 4, cidr, ...values });
const v6 = (cidr: string, values = {}) => world.subnets.create({ network_id, ip_version: 6, cidr, ...values });

describe('a new subnet', () => {
  test('has the first address as gateway, and all others as pool, by default', async () => {
    expect(await v4('10.0.0.0/24')).toMatchObject({
      network_id,
      cidr: '10.0.0.0/24',
      gateway_ip: '10.0.0.1',
      allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
      enable_dhcp: true,
      dns_nameservers: [],
      host_routes: [],
      service_types: [],
      ipv6_ra_mode: null,
      ipv6_address_mode: null,
      subnetpool_id: null,
      segment_id: null,
      revision_number: 0,
      project_id: 'p1',
    });
  });

  test('with IPv6 has the subnet-router anycast address as gateway, and canonical addresses', async () => {
    expect(await v6('FD00:0004:0::/64', { dns_nameservers: ['FD00::0053'] })).toMatchObject({
      cidr: 'fd00:4::/64',
      gateway_ip: 'fd00:4::',
      allocation_pools: [{ start: 'fd00:4::1', end: 'fd00:4::ffff:ffff:ffff:ffff' }],
      dns_nameservers: ['fd00::53'],
    });
  });

  test('keeps requested values: no gateway, one in the middle, one elsewhere, pools, the order of DNS servers', async () => {
    expect(await v4('10.1.0.0/24', { gateway_ip: null })).toMatchObject({
      gateway_ip: null,
      allocation_pools: [{ start: '10.1.0.1', end: '10.1.0.254' }],
    });
    expect((await v4('10.2.0.0/24', { gateway_ip: '10.2.0.100' })).allocation_pools).toEqual([
      { start: '10.2.0.1', end: '10.2.0.99' },
      { start: '10.2.0.101', end: '10.2.0.254' },
    ]);
    expect((await v4('10.3.0.0/24', { gateway_ip: '192.168.7.1' })).gateway_ip).toBe('192.168.7.1');
    const pools = [
      { start: '10.4.0.40', end: '10.4.0.50' },
      { start: '10.4.0.10', end: '10.4.0.20' },
    ];
    const given = { allocation_pools: pools, dns_nameservers: ['10.9.9.9', '10.0.0.1', '10.5.5.5'] };
    expect(await v4('10.4.0.0/24', given)).toMatchObject({
      allocation_pools: [...pools].reverse(),
      dns_nameservers: given.dns_nameservers,
    });
  });

  test('without DHCP can be tiny, up to the highest address', async () => {
    const tiny = { enable_dhcp: false };
    expect(await v4('10.0.0.0/31', tiny)).toMatchObject({ gateway_ip: '10.0.0.1' });
    expect(await v4('10.1.0.1/32', tiny)).toMatchObject({
      allocation_pools: [{ start: '10.1.0.1', end: '10.1.0.1' }],
    });
    expect(await v4('255.255.255.255/32', tiny)).toMatchObject({ gateway_ip: null });
    expect(await v6('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128', tiny)).toMatchObject({ ip_version: 6 });
  });

  test('an empty list of pools means the default pools', async () => {
    const { allocation_pools } = await v4('10.0.0.0/24', { allocation_pools: [] });
    expect(allocation_pools).toEqual([{ start: '10.0.0.2', end: '10.0.0.254' }]);
  });

  test('is sent to agents, increments the revision of its network, and is listed there', async () => {
    const before = await world.networks.show(network_id);
    const subnet = await v4('10.0.0.0/24', { service_types: ['compute:nova'] });
    expect(subnet.revision_number).toBe(1);
    expect(await world.told()).toEqual([{ method: 'subnet_create_end', payload: { subnet } }]);
    const after = await world.networks.show(network_id);
    expect(after.subnets).toEqual([subnet.id]);
    expect(after.revision_number).toBe(Number(before.revision_number) + 1);
  });
});

describe('a subnet is rejected', () => {
  test.each([
    ['host bits are cleared, not refused', { cidr: '10.0.0.7/24' }, 'fine'],
    ['of the other IP version', { cidr: 'fd00::/64' }, 'InvalidInput'],
    ['all there is', { cidr: '0.0.0.0/0', enable_dhcp: false }, 'InvalidInput'],
    ['of the first address with DHCP', { cidr: '0.0.0.0/8' }, 'InvalidInput'],
    ['too small for DHCP', { cidr: '10.0.0.0/31' }, 'InvalidInput'],
    ['multicast with DHCP', { cidr: '239.1.0.0/24' }, 'InvalidInput'],
    ['multicast without DHCP', { cidr: '239.1.0.0/24', enable_dhcp: false }, 'fine'],
    ['loopback with DHCP', { cidr: '127.1.0.0/24' }, 'InvalidInput'],
    ['no prefix', { cidr: null }, 'BadRequest'],
    ['no prefix, but a length', { cidr: null, prefixlen: 24 }, 'BadRequest'],
    ['a prefix and a length', { cidr: '10.0.0.0/24', prefixlen: 24 }, 'BadRequest'],
    ['of a pool that is not there', { subnetpool_id: '99999999-9999-9999-9999-999999999999' }, 'SubnetPoolNotFound'],
    ['of the default pool', { use_default_subnetpool: true }, 'BadRequest'],
    ['gateway of the other version', { gateway_ip: 'fd00::1' }, 'InvalidInput'],
    ['gateway is the network', { gateway_ip: '10.0.0.0' }, 'InvalidInput'],
    ['gateway is the broadcast address', { gateway_ip: '10.0.0.255' }, 'InvalidInput'],
    [
      'gateway in a pool',
      { gateway_ip: '10.0.0.15', allocation_pools: [{ start: '10.0.0.10', end: '10.0.0.20' }] },
      'GatewayConflictWithAllocationPools',
    ],
    [
      'default gateway in a pool',
      { allocation_pools: [{ start: '10.0.0.1', end: '10.0.0.20' }] },
      'GatewayConflictWithAllocationPools',
    ],
    ['pool outside', { allocation_pools: [{ start: '10.9.0.1', end: '10.9.0.20' }] }, 'OutOfBoundsAllocationPool'],
    ['pool upside down', { allocation_pools: [{ start: '10.0.0.9', end: '10.0.0.2' }] }, 'InvalidAllocationPool'],
    [
      'too many DNS servers',
      { dns_nameservers: [1, 2, 3, 4, 5, 6].map((n) => `10.0.0.${n}`) },
      'DNSNameServersExhausted',
    ],
    ['DNS server of the other version', { dns_nameservers: ['fd00::53'] }, 'InvalidInput'],
    ['route of the other version', { host_routes: [{ destination: 'fd00::/64', nexthop: 'fd00::1' }] }, 'InvalidInput'],
    [
      'destination of the other version',
      { host_routes: [{ destination: 'fd00::/64', nexthop: '10.0.0.2' }] },
      'InvalidInput',
    ],
    [
      'too many routes',
      { host_routes: Array.from({ length: 21 }, (_, i) => ({ destination: `10.${i}.0.0/16`, nexthop: '10.0.0.9' })) },
      'HostRoutesExhausted',
    ],
    [
      'one route in two spellings',
      {
        ip_version: 6,
        cidr: 'fd01::/64',
        host_routes: [
          { destination: 'fd00::/64', nexthop: 'fd01::9' },
          { destination: 'FD00::/64', nexthop: 'fd01::0009' },
        ],
      },
      'HTTPBadRequest',
    ],
    ['service type of nobody', { service_types: ['nobody'] }, 'InvalidSubnetServiceType'],
    ['service type that is no text', { service_types: [5] }, 'InvalidInputSubnetServiceType'],
    ['on a segment that is not there', { segment_id: '99999999-9999-9999-9999-999999999999' }, 'SegmentNotFound'],
    ['on a network that is not there', { network_id: '99999999-9999-9999-9999-999999999999' }, 'NetworkNotFound'],
  ])('%s', async (_, values, outcome) => {
    const made = Promise.resolve().then(() =>
      world.subnets.create({ network_id, ip_version: 4, cidr: '10.0.0.0/24', ...values }),
    );
    expect(await outcomeOf(made)).toBe(outcome);
    expect((await world.told()).length).toBe(outcome === 'fine' ? 1 : 0);
  });

  test.each(['10.1.0.0/24', '10.1.0.0/25', '10.1.0.128/26', '10.1.0.0/16', '10.0.0.0/8', '10.1.0.255/32'])(
    'if it overlaps with 10.1.0.0/24 of its network: %s',
    async (cidr) => {
      await v4('10.1.0.0/24');
      expect(await outcomeOf(v4(cidr, { enable_dhcp: false }))).toBe('InvalidInput');
      const elsewhere = (await world.networks.create({})).id;
      expect(await outcomeOf(v4(cidr, { enable_dhcp: false, network_id: elsewhere }))).toBe('fine');
    },
  );

  test('in a bulk create, which then creates none and notifies nobody', async () => {
    const bulk = ['10.0.0.0/24', '10.1.0.0/24', '10.0.0.128/25'].map((cidr) => ({ network_id, ip_version: 4, cidr }));
    expect(await outcomeOf(world.subnets.createAll(bulk))).toBe('InvalidInput');
    expect((await world.networks.show(network_id)).subnets).toEqual([]);
    expect(await world.told()).toEqual([]);
    expect((await world.subnets.createAll(bulk.slice(0, 2))).map((s) => s.cidr)).toEqual([
      '10.0.0.0/24',
      '10.1.0.0/24',
    ]);
  });

  test('by all servers except one if they create overlapping ones simultaneously', async () => {
    const servers = [world, world.second(), world.second()];
    for (let round = 0; round < 10; round++) {
      const attempts = servers.flatMap((server, i) =>
        [24, 25].map((length) =>
          outcomeOf(server.subnets.create({ network_id, ip_version: 4, cidr: `10.${round}.0.${i}/${length}` })),
        ),
      );
      expect((await Promise.all(attempts)).sort()).toEqual([...Array<string>(5).fill('InvalidInput'), 'fine']);
    }
  });
});

describe('IPv6 modes of a subnet', () => {
  const MODES = [undefined, 'slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'] as const;
  const combinations = MODES.flatMap((ra) => MODES.map((address) => [ra, address] as const));

  test.each(combinations)('ra %s with address %s', async (ra, address) => {
    const modes = { ...(ra ? { ipv6_ra_mode: ra } : {}), ...(address ? { ipv6_address_mode: address } : {}) };
    const contradiction = ra !== undefined && address !== undefined && ra !== address;
    const automatic = [ra, address].some((m) => m === 'slaac' || m === 'dhcpv6-stateless');
    const named = ra !== undefined || address !== undefined;
    expect(await outcomeOf(v6('fd00:1::/64', modes))).toBe(contradiction ? 'InvalidInput' : 'fine');
    expect(await outcomeOf(v6('fd00:2::/80', modes))).toBe(contradiction || automatic ? 'InvalidInput' : 'fine');
    expect(await outcomeOf(v6('fd00:3::/64', { ...modes, enable_dhcp: false }))).toBe(named ? 'InvalidInput' : 'fine');
    expect(await outcomeOf(v4('10.0.0.0/24', modes))).toBe(named ? 'InvalidInput' : 'fine');
  });
});

describe('service types and segments of subnets', () => {
  test.each(['network:dhcp', 'network:router_gateway', 'compute:nova', 'neutron:LOADBALANCER', 'baremetal:none'])(
    '%s is a device owner',
    async (type) => {
      expect((await v4('10.0.0.0/24', { service_types: [type] })).service_types).toEqual([type]);
    },
  );

  test('either all subnets of a network have segments or none', async () => {
    const segment = await world.core.db.kysely
      .selectFrom('networksegments')
      .select('id')
      .where('network_id', '=', network_id)
      .executeTakeFirstOrThrow();
    const first = await v4('10.0.0.0/24', { segment_id: segment.id });
    expect(first.segment_id).toBe(segment.id);
    expect(await outcomeOf(v4('10.1.0.0/24'))).toBe('SubnetsNotAllAssociatedWithSegments');
    expect(await outcomeOf(v4('10.1.0.0/24', { segment_id: segment.id }))).toBe('fine');
    expect(await outcomeOf(world.subnets.update(first.id, { segment_id: null }))).toBe(
      'SubnetsNotAllAssociatedWithSegments',
    );
    const other = (await world.networks.create({})).id;
    const elsewhere = { network_id: other, segment_id: segment.id };
    expect(await outcomeOf(v4('10.0.0.0/24', elsewhere))).toBe('NetworkIdsDontMatch');
  });
});

test('other callers than administrators see their own subnets and those of shared networks, and cannot create others', async () => {
  const other = memberOf('other');
  const hidden = await v4('10.0.0.0/24');
  expect(await outcomeOf(world.subnets.show(hidden.id, other))).toBe('SubnetNotFound');
  expect(await outcomeOf(world.subnets.update(hidden.id, { name: 'x' }, undefined, other))).toBe('SubnetNotFound');
  expect(await outcomeOf(world.subnets.remove(hidden.id, undefined, other))).toBe('SubnetNotFound');
  const wanted = { network_id, ip_version: 4, cidr: '10.9.0.0/24' };
  expect(await outcomeOf(world.subnets.create(wanted, other))).toBe('NetworkNotFound');
  await world.networks.update(network_id, { shared: true });
  expect((await world.subnets.show(hidden.id, other)).id).toBe(hidden.id);
  const own = await world.networks.create({}, other);
  const mine = await world.subnets.create({ ...wanted, network_id: own.id }, other);
  const query = { filters: {}, sorts: [], pageReverse: false };
  const seen = (await world.subnets.service.list(other, query)).map((s) => s.id);
  expect(seen.sort()).toEqual([hidden.id, mine.id].sort());
});
