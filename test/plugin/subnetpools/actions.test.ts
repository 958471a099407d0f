import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/auth/contract.ts';
import { ADMIN, memberOf } from '../../support/core.ts';
import { servicesOf } from '../../support/services.ts';
import { openWorld, outcomeOf, type World } from '../subnets/world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const act = (name: string, id: string, body: unknown, caller: Caller = ADMIN) =>
  world.pools.service.act(caller, name, { id, parameters: {}, body, revision: undefined });
const pool = (values: object = {}, caller?: Caller) =>
  world.pools.create({ name: 'p', prefixes: ['10.0.0.0/16'], default_prefixlen: 24, ...values }, caller);

describe('prefixes of a pool', () => {
  test('are added, merged with the others', async () => {
    const { id } = await pool();
    expect(await act('add_prefixes', id, { prefixes: ['10.1.0.0/16', '10.0.4.0/24'] })).toEqual({
      prefixes: ['10.0.0.0/15'],
    });
    expect(await world.pools.show(id)).toMatchObject({ prefixes: ['10.0.0.0/15'], revision_number: 1 });
  });

  test('are removed unless a subnet uses them', async () => {
    const { id } = await pool();
    const network = await world.networks.create({ name: 'n' });
    await world.subnets.create({ network_id: network.id, ip_version: 4, subnetpool_id: id });
    const remove = (prefixes: readonly string[]) => act('remove_prefixes', id, { prefixes });
    expect(await outcomeOf(remove(['10.0.0.0/20']))).toBe('IllegalSubnetPoolPrefixUpdate');
    expect(await remove(['10.9.0.0/16', 'fd00::/8'])).toEqual({ prefixes: ['10.0.0.0/16'] });
    expect(await remove(['10.0.128.0/17', '11.0.0.0/8'])).toEqual({ prefixes: ['10.0.0.0/17'] });
    const wanted = { network_id: network.id, ip_version: 4, subnetpool_id: id };
    expect(await outcomeOf(world.subnets.create({ ...wanted, cidr: '10.0.200.0/24' }))).toBe('SubnetAllocationError');
    expect(await world.subnets.create({ ...wanted, cidr: '10.0.100.0/24' })).toMatchObject({ subnetpool_id: id });
  });

  test.each([
    ['add_prefixes', undefined, 'HTTPBadRequest'],
    ['add_prefixes', [], 'HTTPBadRequest'],
    ['add_prefixes', { prefixes: [] }, 'HTTPBadRequest'],
    ['add_prefixes', { prefixes: ['x'] }, 'HTTPBadRequest'],
    ['add_prefixes', { prefixes: ['fd00::/48'] }, 'IllegalSubnetPoolPrefixUpdate'],
    ['add_prefixes', { prefixes: ['10.1.0.0/16', 'fd00::/48'] }, 'PrefixVersionMismatch'],
    ['remove_prefixes', { prefixes: 'x' }, 'HTTPBadRequest'],
    ['onboard_network_subnets', {}, 'InvalidInput'],
    ['onboard_network_subnets', { network_id: 'x' }, 'HTTPBadRequest'],
    ['onboard_network_subnets', { network_id: '99999999-9999-9999-9999-999999999999' }, 'NetworkNotFound'],
  ])('%s with %j is refused: %s', async (name, body, type) => {
    const before = await pool();
    expect(await outcomeOf(act(name, before.id, body))).toBe(type);
    expect(await world.pools.show(before.id)).toEqual(before);
    expect(await outcomeOf(act(name, '99999999-9999-9999-9999-999999999999', { ...Object(body) }))).not.toBe('fine');
  });

  test('are changed only by the project of the pool', async () => {
    const { id } = await pool({ shared: true });
    const network = await world.networks.create({ name: 'n' }, memberOf('p2'));
    for (const [name, body] of [
      ['add_prefixes', { prefixes: ['10.1.0.0/16'] }],
      ['remove_prefixes', { prefixes: ['10.0.0.0/24'] }],
      ['onboard_network_subnets', { network_id: network.id }],
    ] as const)
      expect(await outcomeOf(act(name, id, body, memberOf('p2'))), name).toBe('PolicyNotAuthorized');
  });
});

describe('onboarding', () => {
  const subnet = (network_id: string, cidr: string, values: object = {}) =>
    world.subnets.create({ network_id, ip_version: 4, cidr, ...values });

  test('adds the subnets of a network, of the IP version of the pool, with their prefixes', async () => {
    const { id } = await pool();
    const network = await world.networks.create({ name: 'n' });
    const [within, beside] = [await subnet(network.id, '10.0.0.0/24'), await subnet(network.id, '10.1.0.0/24')];
    await subnet(network.id, 'fd00::/64', { ip_version: 6 });
    const onboarded = (await act('onboard_network_subnets', id, { network_id: network.id })) as { cidr: string }[];
    expect([...onboarded].sort((a, b) => (a.cidr < b.cidr ? -1 : 1))).toEqual([
      { id: within.id, cidr: '10.0.0.0/24' },
      { id: beside.id, cidr: '10.1.0.0/24' },
    ]);
    expect(await world.pools.show(id)).toMatchObject({ prefixes: ['10.0.0.0/16', '10.1.0.0/24'] });
    expect(await world.subnets.show(within.id)).toMatchObject({ subnetpool_id: id, revision_number: 1 });
    expect(await world.subnets.create({ network_id: network.id, ip_version: 4, subnetpool_id: id })).toMatchObject({
      cidr: '10.0.1.0/24',
    });
    expect(await outcomeOf(act('onboard_network_subnets', id, { network_id: network.id }))).toBe(
      'IllegalSubnetPoolUpdate',
    );
    await world.networks.remove(network.id);
    await world.pools.remove(id);
  });

  test('is refused if another subnet of the pool overlaps, and then changes nothing', async () => {
    const before = await pool();
    const [used, network] = [await world.networks.create({ name: 'n' }), await world.networks.create({ name: 'n' })];
    await world.subnets.create({ network_id: used.id, ip_version: 4, subnetpool_id: before.id });
    await subnet(network.id, '10.7.0.0/24');
    const overlapping = await subnet(network.id, '10.0.0.0/20');
    expect(await outcomeOf(act('onboard_network_subnets', before.id, { network_id: network.id }))).toBe(
      'IllegalSubnetPoolUpdate',
    );
    expect(await world.pools.show(before.id)).toEqual(before);
    expect(await world.subnets.show(overlapping.id)).toMatchObject({ subnetpool_id: null });
  });

  test('takes subnets out of the pool that they came from', async () => {
    const [from, to] = [await pool(), await pool({ prefixes: ['10.9.0.0/16'] })];
    const network = await world.networks.create({ name: 'n' });
    await world.subnets.create({ network_id: network.id, ip_version: 4, subnetpool_id: from.id });
    await act('onboard_network_subnets', to.id, { network_id: network.id });
    await world.pools.remove(from.id);
    expect(await outcomeOf(world.pools.remove(to.id))).toBe('SubnetPoolDeleteError');
  });

  test('needs a network of the caller: one that is only shared does not do', async () => {
    const p2 = memberOf('p2');
    const own = await pool({}, p2);
    const [hidden, shared] = [
      await world.networks.create({ name: 'n' }),
      await world.networks.create({ name: 'n', shared: true }),
    ];
    const onboard = (network_id: string) => act('onboard_network_subnets', own.id, { network_id }, p2);
    expect(await outcomeOf(onboard(hidden.id))).toBe('NetworkNotFound');
    expect(await outcomeOf(onboard(shared.id))).toBe('PolicyNotAuthorized');
  });
});

describe('routers', () => {
  test('are told when subnets of theirs change their address scope', async () => {
    const routers = servicesOf(world.core).of('router');
    const network = await world.networks.create({ name: 'n' });
    const { id: subnet_id } = await world.subnets.create({
      network_id: network.id,
      ip_version: 4,
      cidr: '10.0.0.0/24',
    });
    const [router] = await routers.create(ADMIN, [{ name: 'r' }]);
    const call = { id: String(router?.id), parameters: {}, revision: undefined };
    await routers.act(ADMIN, 'add_router_interface', { ...call, body: { subnet_id } });
    const { id } = await pool();
    const toldRouters = async () => (await world.told()).filter(({ method }) => method === 'routers_updated');
    await world.told();
    await act('onboard_network_subnets', id, { network_id: network.id });
    expect(await toldRouters()).toHaveLength(1);
    const scope = await world.scopes.create({ ip_version: 4 });
    await world.pools.update(id, { address_scope_id: scope.id });
    expect(await toldRouters()).toMatchObject([{ payload: { router_id: call.id } }]);
    await world.pools.update(id, { name: 'x', address_scope_id: scope.id });
    expect(await toldRouters()).toEqual([]);
  });
});
