import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN, memberOf } from '../../support/core.ts';
import { openWorld, outcomeOf, type World } from '../subnets/world.ts';

const CONFIG = {
  ml2: { tenant_network_types: ['vxlan'], type_drivers: ['flat', 'vlan', 'vxlan', 'local'] },
  ml2_type_vlan: { network_vlan_ranges: ['physnet1:100:109', 'physnet2'] },
  ml2_type_vxlan: { vni_ranges: ['1:40', '50:50'] },
};
let world: World;

beforeAll(async () => {
  world = await openWorld(CONFIG);
});
afterAll(() => world?.close());
beforeEach(async () => {
  const query = { filters: {}, sorts: [], pageReverse: false };
  for (const { id } of await world.networks.service.list(ADMIN, query)) {
    for (const port of await world.ports.service.list(ADMIN, { ...query, filters: { network_id: [String(id)] } }))
      await world.ports.remove(String(port.id));
    await world.networks.remove(String(id));
  }
  await world.told();
});

const provider = (type: string, physnet?: string, id?: number) => ({
  'provider:network_type': type,
  ...(physnet === undefined ? {} : { 'provider:physical_network': physnet }),
  ...(id === undefined ? {} : { 'provider:segmentation_id': id }),
});
const make = (values: object = {}) => Promise.resolve().then(() => world.networks.create({ ...values }));
const vni = (network: Record<string, unknown>) => network['provider:segmentation_id'] as number;

describe('segments of networks', () => {
  test('are allocated from the ranges by default, each once, by several servers, until they are exhausted', async () => {
    const servers = [world, world.second()];
    const made = await Promise.all(servers.map((s) => s.networks.createAll(Array.from({ length: 20 }, () => ({})))));
    const last = await make();
    const ids = [...made.flat(), last].map(vni);
    expect([...ids].sort((a, b) => a - b)).toEqual([...Array.from({ length: 40 }, (_, i) => i + 1), 50]);
    expect(await outcomeOf(make())).toBe('NoNetworkAvailable');
    expect(await outcomeOf(world.networks.createAll([{}, {}]))).toBe('NoNetworkAvailable');
    await world.networks.remove(last.id);
    expect(vni(await make())).toBe(vni(last));
  });

  test.each([
    ['vxlan outside of the ranges', provider('vxlan', undefined, 7777), 'fine'],
    ['vxlan with a physical network', provider('vxlan', 'physnet1', 7), 'InvalidInput'],
    ['vxlan 0', provider('vxlan', undefined, 0), 'InvalidInput'],
    ['vxlan beyond 24 bits', provider('vxlan', undefined, 2 ** 24), 'InvalidInput'],
    ['vlan', provider('vlan', 'physnet1', 150), 'fine'],
    ['vlan of no id', provider('vlan', 'physnet1'), 'fine'],
    ['vlan of nothing', provider('vlan'), 'fine'],
    ['vlan of an id alone', provider('vlan', undefined, 100), 'InvalidInput'],
    ['vlan 4095', provider('vlan', 'physnet1', 4095), 'InvalidInput'],
    ['vlan of an unknown physical network', provider('vlan', 'nope', 100), 'InvalidInput'],
    ['vlan of a physical network without ranges, with id', provider('vlan', 'physnet2', 7), 'fine'],
    ['vlan of a physical network without ranges, without id', provider('vlan', 'physnet2'), 'InvalidInput'],
    ['flat', provider('flat', 'anything'), 'fine'],
    ['flat of nothing', provider('flat'), 'InvalidInput'],
    ['flat with an id', provider('flat', 'anything', 1), 'InvalidInput'],
    ['local', provider('local'), 'fine'],
    ['local with an id', provider('local', undefined, 1), 'InvalidInput'],
    ['local with a physical network', provider('local', 'physnet1'), 'InvalidInput'],
    ['of an unknown type', provider('geneve', undefined, 1), 'InvalidInput'],
    ['of an id alone', { 'provider:segmentation_id': 9 }, 'InvalidInput'],
    ['all null', { 'provider:network_type': null, 'provider:segmentation_id': null }, 'fine'],
  ])('%s', async (_, values, outcome) => {
    expect(await outcomeOf(make(values))).toBe(outcome);
  });

  test('in use are rejected by type, and are free again once their network is deleted', async () => {
    for (const [values, type] of [
      [provider('vxlan', undefined, 777), 'TunnelIdInUse'],
      [provider('vlan', 'physnet1', 150), 'VlanIdInUse'],
      [provider('flat', 'physnet1'), 'FlatNetworkInUse'],
    ] as const) {
      const first = await make(values);
      expect(await outcomeOf(make(values))).toBe(type);
      await world.networks.remove(first.id);
      expect(await outcomeOf(make(values))).toBe('fine');
    }
  });

  test('can be several per network: they are listed, and provider attributes are null', async () => {
    const segments = [provider('vxlan', undefined, 901), provider('vlan', 'physnet1', 105)];
    const network = await make({ segments });
    expect(network.segments).toEqual([{ ...segments[0], 'provider:physical_network': null }, segments[1]]);
    expect(Object.keys(network).filter((key) => key.startsWith('provider:'))).toEqual([]);
    expect(network.mtu).toBe(1450);
    expect(
      await outcomeOf(make({ segments: [provider('vxlan', undefined, 902), provider('vxlan', undefined, 901)] })),
    ).toBe('TunnelIdInUse');
    await world.networks.remove(network.id);
    expect(
      await outcomeOf(make({ segments: [provider('vxlan', undefined, 902), provider('vxlan', undefined, 901)] })),
    ).toBe('fine');
  });

  test.each([
    ['one', [provider('vxlan', undefined, 5)], 'fine'],
    ['none', [], 'fine'],
    [
      'the same twice',
      [provider('vxlan', undefined, 5), provider('vxlan', undefined, 5)],
      'SegmentsContainDuplicateEntry',
    ],
    ['two to be chosen', [provider('vxlan'), provider('vxlan')], 'fine'],
    ['one that is wrong', [provider('vxlan'), provider('vlan', 'nope', 5)], 'InvalidInput'],
    ['one with a part that is none', [{ nope: 1 }], 'HTTPBadRequest'],
    ['no list', { a: 1 }, 'HTTPBadRequest'],
  ])('%s as list', async (_, segments, outcome) => {
    expect(await outcomeOf(make({ segments }))).toBe(outcome);
  });

  test('cannot be requested both as segments and as provider attributes', async () => {
    const both = { ...provider('local'), segments: [provider('vxlan')] };
    expect(await outcomeOf(make(both))).toBe('SegmentsSetInConjunctionWithProviders');
  });

  test('of VLAN networks can change their id, and nothing else', async () => {
    const { id } = await make(provider('vlan', 'physnet1', 150));
    const moved = await world.networks.update(id, { 'provider:segmentation_id': 151 });
    expect(vni(moved)).toBe(151);
    expect(await outcomeOf(make(provider('vlan', 'physnet1', 150)))).toBe('fine');
    expect(await outcomeOf(world.networks.update(id, { 'provider:segmentation_id': 150 }))).toBe('VlanIdInUse');
    expect(await outcomeOf(world.networks.update(id, { 'provider:segmentation_id': 4095 }))).toBe('InvalidInput');
    expect(await outcomeOf(world.networks.update(id, { 'provider:network_type': 'flat' }))).toBe('InvalidInput');
    const vxlan = await make();
    // A different one than was allocated, because the same would not be a change.
    const other = vni(vxlan) === 7 ? 8 : 7;
    expect(await outcomeOf(world.networks.update(vxlan.id, { 'provider:segmentation_id': other }))).toBe(
      'InvalidInput',
    );
  });
});

describe('the MTU of a network', () => {
  test('is by default the maximum of the segment, and never more', async () => {
    expect((await make()).mtu).toBe(1450);
    expect((await make(provider('flat', 'physnet1'))).mtu).toBe(1500);
    expect((await make({ mtu: 1000 })).mtu).toBe(1000);
    expect(await outcomeOf(make({ mtu: 1451 }))).toBe('InvalidInput');
  });

  test('cannot be less than the minimum of IPv6 while the network has IPv6 subnets (RFC 8200)', async () => {
    const { id } = await make();
    expect((await world.networks.update(id, { mtu: 1000 })).mtu).toBe(1000);
    await world.networks.update(id, { mtu: 0 });
    await world.subnets.create({ network_id: id, ip_version: 6, cidr: 'fd00::/64' });
    expect(await outcomeOf(world.networks.update(id, { mtu: 1279 }))).toBe('InvalidInput');
    expect((await world.networks.update(id, { mtu: 1280 })).mtu).toBe(1280);
  });
});

describe('an update of a network', () => {
  test('increments the revision and notifies agents only if it changes something', async () => {
    const network = await make({ name: 'a' });
    const { is_default: _, ...shown } = network;
    expect(await world.networks.update(network.id, { name: 'a', shared: false, mtu: 0 })).toEqual(shown);
    expect(await world.told()).toEqual([]);
    const after = await world.networks.update(network.id, { name: 'b', shared: true, dns_domain: 'B.Example.' });
    expect(after).toMatchObject({ name: 'b', shared: true, dns_domain: 'b.example.', revision_number: 2 });
    expect(await world.told()).toEqual([
      { method: 'network_update_end', payload: { network: after } },
      { method: 'network_update', payload: { network: after } },
    ]);
  });

  test('to external and back: is_default exists only meanwhile, and changes only on request', async () => {
    const { id } = await make();
    expect(await world.networks.update(id, { 'router:external': true, is_default: true })).toMatchObject({
      is_default: true,
    });
    expect(await world.networks.update(id, { 'router:external': true })).toMatchObject({ is_default: true });
    expect(await world.networks.update(id, { is_default: false })).toMatchObject({ is_default: false });
    expect(await world.networks.update(id, { 'router:external': false })).not.toHaveProperty('is_default');
    expect(await world.networks.update(id, { is_default: true })).not.toHaveProperty('is_default');
  });

  test('cannot unshare while other projects have ports on it', async () => {
    const { id } = await make({ shared: true });
    const port = await world.ports.create({ network_id: id, project_id: 'other' });
    expect(await outcomeOf(world.networks.update(id, { shared: false }))).toBe('InvalidSharedSetting');
    await world.ports.remove(port.id);
    expect(await world.networks.update(id, { shared: false })).toMatchObject({ shared: false });
  });

  test('with If-Match succeeds for only one of several clients, whatever the number of servers', async () => {
    const { id } = await make({ name: 'start' });
    const servers = [world, world.second(), world.second()];
    for (let revision = 1; revision < 6; revision++) {
      const attempts = servers.flatMap((server, i) =>
        [0, 1].map((j) => outcomeOf(server.networks.update(id, { name: `${revision}-${i}-${j}` }, revision))),
      );
      expect((await Promise.all(attempts)).sort()).toEqual([
        ...Array<string>(5).fill('RevisionNumberConstraintFailed'),
        'fine',
      ]);
    }
    const removals = servers.map((server) => outcomeOf(server.networks.remove(id, 6)));
    expect((await Promise.all(removals)).sort()).toEqual(['NetworkNotFound', 'NetworkNotFound', 'fine']);
  });
});

describe('deleting a network', () => {
  test('fails while it has ports, except for the DHCP port, which is deleted too', async () => {
    const { id } = await make();
    await world.subnets.create({ network_id: id, ip_version: 4, cidr: '10.0.0.0/24' });
    const port = await world.ports.create({ network_id: id });
    const dhcp = await world.ports.create({ network_id: id, device_owner: 'network:dhcp' });
    expect(await outcomeOf(world.networks.remove(id))).toBe('NetworkInUse');
    await world.ports.remove(port.id);
    await world.told();
    await world.networks.remove(id);
    expect(await outcomeOf(world.ports.show(dhcp.id))).toBe('PortNotFound');
    expect((await world.told()).map((e) => e.method)).toEqual(
      expect.arrayContaining(['network_delete_end', 'network_delete']),
    );
  });

  test('leaves no rows behind', async () => {
    const { db } = world.core;
    const counts = async () =>
      Promise.all(
        (
          [
            'standardattributes',
            'networksegments',
            'networkrbacs',
            'externalnetworks',
            'networkdnsdomains',
            'networksecuritybindings',
            'ml2_vxlan_allocations',
          ] as const
        ).map(
          async (table) =>
            (
              await db.kysely
                .selectFrom(table)
                .select((eb) => eb.fn.countAll().as('n'))
                .executeTakeFirstOrThrow()
            ).n,
        ),
      );
    const before = await counts();
    const { id } = await make({ shared: true, 'router:external': true, dns_domain: 'x.org.' });
    await world.subnets.create({ network_id: id, ip_version: 4, cidr: '10.0.0.0/24' });
    await world.networks.remove(id);
    expect(await counts()).toEqual(before);
  });
});

test('a bulk create creates all or none', async () => {
  const bulk = [{ name: 'ok' }, { name: 'too big', mtu: 9000 }];
  expect(await outcomeOf(world.networks.createAll(bulk))).toBe('InvalidInput');
  const made = await world.networks.createAll([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
  expect(made.map((n) => n.name)).toEqual(['a', 'b', 'c']);
});

test('other callers than administrators see their own, shared and external networks', async () => {
  const other = memberOf('other');
  const [hidden, shared, external] = [
    await make(),
    await make({ shared: true }),
    await make({ 'router:external': true }),
  ];
  const own = await world.networks.create({}, other);
  const seen = await world.networks.service.list(other, { filters: {}, sorts: [], pageReverse: false });
  expect(seen.map((n) => n.id).sort()).toEqual([shared.id, external.id, own.id].sort());
  expect(await outcomeOf(world.networks.show(hidden.id, other))).toBe('NetworkNotFound');
  expect(await outcomeOf(world.networks.update(hidden.id, { name: 'x' }, undefined, other))).toBe('NetworkNotFound');
  expect(await outcomeOf(world.networks.remove(hidden.id, undefined, other))).toBe('NetworkNotFound');
});
