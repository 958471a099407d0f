import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addressKey, formatCidr, parseCidr } from '../../../src/net/addresses.ts';
import { addressSet, difference, prefixesOf } from '../../../src/net/prefix-sets.ts';
import { memberOf } from '../../support/core.ts';
import { type Made, openWorld, outcomeOf, type Server, type World } from '../subnets/world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const pool = (values: object = {}) => world.pools.create({ name: 'p', prefixes: ['10.0.0.0/16'], ...values });
const network = async (): Promise<string> => (await world.networks.create({ name: 'n' })).id;
const subnet = (from: string, on: string, values: object = {}, { subnets }: Server = world): Promise<Made> =>
  subnets.create({ ip_version: 4, network_id: on, subnetpool_id: from, ...values });

const parsed = (texts: readonly string[]) => texts.flatMap((text) => parseCidr(text) ?? []);

/** Expects the stored free prefixes of a pool to be exactly what none of its subnets has. */
async function expectExact(id: string): Promise<void> {
  const { prefixes, ip_version } = await world.pools.show(id);
  const version = ip_version === 6 ? 6 : 4;
  const { kysely } = world.core.db;
  const used = await kysely.selectFrom('subnets').select('cidr').where('subnetpool_id', '=', id).execute();
  const taken = parsed(used.map(({ cidr }) => cidr));
  const free = difference(addressSet(parsed(prefixes as string[])), addressSet(taken));
  const stored = await kysely
    .selectFrom('subnetpoolfreeprefixes')
    .select(['first_key', 'prefixlen'])
    .where('subnetpool_id', '=', id)
    .orderBy('first_key')
    .execute();
  expect(stored).toEqual(
    prefixesOf(version, free).map(({ first, prefixLength }) => ({
      first_key: addressKey(version, first),
      prefixlen: prefixLength,
    })),
  );
  const ordered = [...taken].sort((a, b) => (a.first < b.first ? -1 : 1));
  for (const [i, { last }] of ordered.entries()) {
    const next = ordered[i + 1];
    if (next) expect(last < next.first, `${formatCidr(next)} overlaps`).toBe(true);
  }
}

describe('subnets from pools', () => {
  test('take the first prefix of the smallest free one, or the one that they name', async () => {
    const { id } = await pool({ default_prefixlen: 26 });
    const on = await network();
    const cidrs: unknown[] = [];
    for (const values of [
      {},
      { prefixlen: 24 },
      {},
      { cidr: '10.0.9.0/24' },
      { gateway_ip: '10.0.77.5' },
      { prefixlen: 25 },
    ])
      cidrs.push((await subnet(id, on, values)).cidr);
    expect(cidrs).toEqual([
      '10.0.0.0/26',
      '10.0.1.0/24',
      '10.0.0.64/26',
      '10.0.9.0/24',
      '10.0.77.0/26',
      '10.0.0.128/25',
    ]);
    await expectExact(id);
    expect((await world.pools.show(id)).revision_number).toBe(0);
  });

  test('have the second address as gateway when the pool chooses, also for IPv6', async () => {
    const { id } = await pool({ prefixes: ['fd00::/48'] });
    const on = await network();
    const six = { ip_version: 6 };
    expect(await subnet(id, on, six)).toMatchObject({ cidr: 'fd00::/64', gateway_ip: 'fd00::1' });
    expect(await subnet(id, on, { ...six, gateway_ip: null })).toMatchObject({
      cidr: 'fd00:0:0:1::/64',
      gateway_ip: null,
    });
    expect(await subnet(id, on, { ...six, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' })).toMatchObject({
      cidr: 'fd00:0:0:2::/64',
    });
  });

  test.each([
    [{ prefixlen: 33 }, 'AddrFormatError'],
    [{ prefixlen: 31 }, 'MaxPrefixSubnetAllocationError'],
    [{ prefixlen: 19 }, 'MinPrefixSubnetAllocationError'],
    [{ prefixlen: -1 }, 'HTTPBadRequest'],
    [{ cidr: '10.0.0.0/16' }, 'MinPrefixSubnetAllocationError'],
    [{ cidr: '10.1.0.0/24' }, 'SubnetAllocationError'],
    [{ cidr: '9.255.240.0/20' }, 'SubnetAllocationError'],
    [{ cidr: '10.0.0.0/24', prefixlen: 24 }, 'BadRequest'],
    [{ ip_version: 6 }, 'BadRequest'],
    [{ use_default_subnetpool: true }, 'BadRequest'],
    [{ allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.3' }] }, 'BadRequest'],
    [{ gateway_ip: '10.1.0.1' }, 'SubnetAllocationError'],
    [{ gateway_ip: 'fd00::1' }, 'SubnetAllocationError'],
    [{ ipv6_ra_mode: 'slaac' }, 'InvalidInput'],
    [{ dns_nameservers: ['fd00::1'] }, 'InvalidInput'],
    [{ subnetpool_id: '99999999-9999-9999-9999-999999999999' }, 'SubnetPoolNotFound'],
    [{ subnetpool_id: 'x' }, 'HTTPBadRequest'],
  ])('are refused with %j: %s, and take nothing', async (values, type) => {
    const { id } = await pool({ min_prefixlen: 20, max_prefixlen: 30 });
    expect(await outcomeOf(subnet(id, await network(), values))).toBe(type);
    await expectExact(id);
  });

  test('return their prefixes when they, or their networks, are deleted', async () => {
    const { id } = await pool({ default_prefixlen: 18 });
    const [one, two] = [await network(), await network()];
    const made = [await subnet(id, one), await subnet(id, two), await subnet(id, one), await subnet(id, two)];
    expect(await outcomeOf(subnet(id, one))).toBe('SubnetAllocationError');
    expect(await outcomeOf(world.pools.remove(id))).toBe('SubnetPoolDeleteError');
    await world.subnets.remove(made[2]?.id ?? '');
    await expectExact(id);
    await world.networks.remove(two);
    await expectExact(id);
    await world.networks.remove(one);
    await expectExact(id);
    expect(await subnet(id, await network(), { prefixlen: 16 })).toMatchObject({ cidr: '10.0.0.0/16' });
  });

  test('count against default_quota per project: addresses for IPv4, /64 prefixes for IPv6', async () => {
    const four = await pool({ default_quota: 384, shared: true });
    const [mine, other] = [await network(), await network()];
    await subnet(four.id, mine, { prefixlen: 24 });
    expect(await outcomeOf(subnet(four.id, mine, { prefixlen: 24 }))).toBe('SubnetPoolQuotaExceeded');
    await subnet(four.id, mine, { prefixlen: 25 });
    expect(await outcomeOf(subnet(four.id, mine, { prefixlen: 32, enable_dhcp: false }))).toBe(
      'SubnetPoolQuotaExceeded',
    );
    await subnet(four.id, other, { prefixlen: 24, project_id: 'p2' });
    const six = await pool({ prefixes: ['fd00::/48'], min_prefixlen: 60, default_quota: 2 });
    await subnet(six.id, mine, { ip_version: 6, prefixlen: 64 });
    expect(await outcomeOf(subnet(six.id, mine, { ip_version: 6, prefixlen: 63 }))).toBe('SubnetPoolQuotaExceeded');
    await subnet(six.id, mine, { ip_version: 6, prefixlen: 64 });
  });

  test('come from the default pool on request, if its project or all may use it', async () => {
    const p2 = memberOf('p2');
    const on = (await world.networks.create({ name: 'n' }, p2)).id;
    const wanted = { network_id: on, ip_version: 4, use_default_subnetpool: true };
    await pool({ is_default: true, default_prefixlen: 24 });
    expect(await outcomeOf(world.subnets.create(wanted, p2))).toBe('BadRequest');
    expect(await world.subnets.create(wanted)).toMatchObject({ cidr: '10.0.0.0/24' });
  });

  test('of a prefix that a router obtains by delegation are provisional', async () => {
    const on = await network();
    const modes = { ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
    const delegated = (values: object) => subnet('prefix_delegation', on, values);
    for (const values of [
      {},
      { ip_version: 6 },
      { ...modes, ipv6_ra_mode: 'dhcpv6-stateful', ipv6_address_mode: 'dhcpv6-stateful' },
    ])
      expect(await outcomeOf(delegated(values)), JSON.stringify(values)).toBe('BadRequest');
    for (const _ of [1, 2])
      expect(await delegated(modes)).toMatchObject({ cidr: '::/64', subnetpool_id: 'prefix_delegation' });
    expect(await outcomeOf(world.subnets.create({ network_id: on, ip_version: 6, cidr: 'fd00::/64' }))).toBe(
      'NetworkSubnetPoolAffinityError',
    );
    const six = { ip_version: 6, cidr: 'fd00::/64', subnetpool_id: 'prefix_delegation' };
    expect(await world.subnets.create({ ...six, network_id: await network() })).toMatchObject({ subnetpool_id: null });
  });
});

describe('subnets of one network', () => {
  test('come from one pool for each IP version, or from none', async () => {
    const [one, other, six] = [
      await pool({ default_prefixlen: 24 }),
      await pool({ prefixes: ['10.1.0.0/16'], default_prefixlen: 24 }),
      await pool({ prefixes: ['fd00::/48'] }),
    ];
    const [pooled, plain] = [await network(), await network()];
    await subnet(one.id, pooled);
    await subnet(six.id, pooled, { ip_version: 6 });
    await world.subnets.create({ network_id: plain, ip_version: 4, cidr: '10.99.0.0/24' });
    for (const values of [
      { network_id: pooled, subnetpool_id: other.id },
      { network_id: plain, subnetpool_id: one.id },
      { network_id: pooled, cidr: '10.99.0.0/24' },
    ])
      expect(await outcomeOf(world.subnets.create({ ip_version: 4, ...values }))).toBe(
        'NetworkSubnetPoolAffinityError',
      );
    await expectExact(one.id);
  });

  test('come from pools of one address scope, which the network shows', async () => {
    const [scope, elsewhere] = [
      await world.scopes.create({ ip_version: 4 }),
      await world.scopes.create({ ip_version: 4 }),
    ];
    const scoped = (prefix: string, address_scope_id: string) =>
      pool({ prefixes: [prefix], default_prefixlen: 24, address_scope_id });
    const [a, b, c] = [
      await scoped('10.0.0.0/16', scope.id),
      await scoped('10.1.0.0/16', scope.id),
      await scoped('10.2.0.0/16', elsewhere.id),
    ];
    const on = await network();
    await subnet(a.id, on);
    await subnet(b.id, on);
    expect(await outcomeOf(subnet(c.id, on))).toBe('NetworkAddressScopeAffinityError');
    expect(await world.networks.show(on)).toMatchObject({ ipv4_address_scope: scope.id, ipv6_address_scope: null });
    for (const address_scope_id of [elsewhere.id, null])
      expect(await outcomeOf(world.pools.update(a.id, { address_scope_id }))).toBe('NetworkAddressScopeAffinityError');
    expect(await world.pools.update(a.id, { name: 'new' })).toMatchObject({ name: 'new' });
    await world.pools.update(c.id, { address_scope_id: null });
  });
});

describe('subnets made side by side', () => {
  test('from one pool by three servers never overlap, and use all of it', async () => {
    const servers = [world, world.second(), world.second()];
    const { id } = await pool({ prefixes: ['10.0.0.0/22'] });
    const networks = await Promise.all(Array.from({ length: 6 }, network));
    const lengths = [25, 26, 26, 25, 25, 25, 25, 26, 26, 25];
    const outcomes = await Promise.all(
      lengths.map((prefixlen, i) =>
        outcomeOf(subnet(id, networks[i % 6] ?? '', { prefixlen }, servers[i % 3] ?? world)),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'fine').length).toBeGreaterThanOrEqual(8);
    expect(outcomes.filter((outcome) => !['fine', 'SubnetAllocationError'].includes(outcome))).toEqual([]);
    await expectExact(id);
  });

  test('never have the same prefix, or one within another, on a network (LP#1852777)', async () => {
    const [first, second] = [world, world.second()];
    for (const [one, other] of [
      ['10.0.0.0/24', '10.0.0.0/24'],
      ['10.0.0.0/24', '10.0.0.128/25'],
    ] as const) {
      const on = await network();
      const p1 = memberOf('p1');
      const plain = (cidr: string, { subnets }: Server) =>
        outcomeOf(subnets.create({ network_id: on, ip_version: 4, cidr }, p1));
      const outcomes = await Promise.all([
        plain(one, first),
        plain(other, second),
        plain(one, second),
        plain(other, first),
      ]);
      expect(outcomes.sort()).toEqual(['InvalidInput', 'InvalidInput', 'InvalidInput', 'fine']);
    }
  });

  test('from two pools that two servers offer do not end up on one network', async () => {
    const pools = [
      await pool({ default_prefixlen: 24 }),
      await pool({ prefixes: ['10.1.0.0/16'], default_prefixlen: 24 }),
    ];
    const on = await network();
    const servers = [world, world.second()];
    const outcomes = await Promise.all(pools.map(({ id }, i) => outcomeOf(subnet(id, on, {}, servers[i]))));
    expect(outcomes.sort()).toEqual(['NetworkSubnetPoolAffinityError', 'fine']);
  });

  test('with a quota never exceed it', async () => {
    const { id } = await pool({ default_quota: 512 });
    const on = await Promise.all(Array.from({ length: 5 }, network));
    const servers = [world, world.second()];
    const made = on.map((net, i) => outcomeOf(subnet(id, net, { prefixlen: 24 }, servers[i % 2])));
    expect((await Promise.all(made)).filter((outcome) => outcome === 'fine')).toHaveLength(2);
  });
});
