import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memberOf } from '../../support/core.ts';
import { openWorld, outcomeOf, type World } from '../subnets/world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const share = (object_type: string, object_id: string, target_tenant: string) =>
  world.shares.create({ object_type, object_id, target_tenant, action: 'access_as_shared' });
const list = { filters: {}, sorts: [], pageReverse: false };
const pool = (values: object = {}, caller = undefined as ReturnType<typeof memberOf> | undefined) =>
  world.pools.create({ name: 'p', prefixes: ['10.0.0.0/8'], ...values }, caller);

describe('subnet pools', () => {
  test('are created with the attributes of the API reference, and merged prefixes', async () => {
    const made = await pool({ prefixes: ['10.1.1.0/24', '10.0.0.0/16', '10.1.0.5/24'], description: 'd' });
    const { id, created_at: at, ...shown } = made;
    expect(shown).toEqual({
      name: 'p',
      prefixes: ['10.0.0.0/16', '10.1.0.0/23'],
      ip_version: 4,
      min_prefixlen: '8',
      max_prefixlen: '32',
      default_prefixlen: '8',
      default_quota: null,
      is_default: false,
      shared: false,
      address_scope_id: null,
      description: 'd',
      project_id: 'p1',
      tenant_id: 'p1',
      revision_number: 0,
      updated_at: at,
      tags: [],
    });
    expect(await world.pools.show(id)).toEqual(made);
    expect(await pool({ prefixes: ['fd00::/48'] })).toMatchObject({
      ip_version: 6,
      min_prefixlen: '64',
      max_prefixlen: '128',
      default_prefixlen: '64',
    });
  });

  test.each([
    [{ name: ' ' }, 'HTTPBadRequest'],
    [{ name: undefined }, 'HTTPBadRequest'],
    [{ prefixes: 'x' }, 'HTTPBadRequest'],
    [{ prefixes: ['x'] }, 'HTTPBadRequest'],
    [{ prefixes: ['10.0.0.0/8', '10.0.0.0/8'] }, 'HTTPBadRequest'],
    [{ prefixes: Array.from({ length: 1001 }, (_, i) => `10.${i >> 8}.${i & 255}.0/25`) }, 'HTTPBadRequest'],
    [{ prefixes: [] }, 'EmptySubnetPoolPrefixList'],
    [{ prefixes: ['10.0.0.0/8', 'fd00::/48'] }, 'PrefixVersionMismatch'],
    [{ min_prefixlen: 28, max_prefixlen: 24 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ max_prefixlen: 33 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ min_prefixlen: 24, default_prefixlen: 20 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ max_prefixlen: 24, default_prefixlen: 28 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ min_prefixlen: -1 }, 'HTTPBadRequest'],
    [{ min_prefixlen: null }, 'HTTPBadRequest'],
    [{ default_quota: 1.5 }, 'HTTPBadRequest'],
    [{ default_quota: '99999999999999999999' }, 'HTTPBadRequest'],
    [{ address_scope_id: 'x' }, 'HTTPBadRequest'],
    [{ address_scope_id: '99999999-9999-9999-9999-999999999999' }, 'AddressScopeNotFound'],
  ])('are refused with %j: %s', async (values, type) => {
    expect(await outcomeOf(pool(values))).toBe(type);
    expect(await world.pools.service.list(memberOf('p1'), list)).toEqual([]);
  });

  test('are updated: prefixes grow, lengths are numbers in the response', async () => {
    const { id } = await pool({ prefixes: ['10.200.0.0/16'], default_prefixlen: 26 });
    const changes = { name: 'n', default_prefixlen: '27', prefixes: ['10.200.0.0/15'], default_quota: 7 };
    const updated = await world.pools.update(id, changes);
    expect(updated).toMatchObject({ ...changes, default_prefixlen: 27, min_prefixlen: 8, revision_number: 1 });
    expect(Object.keys(updated)).not.toContain('address_scope_id');
    expect(await world.pools.show(id)).toMatchObject({ ...changes, min_prefixlen: '8', revision_number: 1 });
    const refused: readonly (readonly [object, string])[] = [
      [{ prefixes: ['10.200.0.0/16'] }, 'IllegalSubnetPoolPrefixUpdate'],
      [{ prefixes: ['fd00::/16'] }, 'IllegalSubnetPoolPrefixUpdate'],
      [{ min_prefixlen: 28 }, 'IllegalSubnetPoolPrefixBounds'],
      [{ shared: true }, 'HTTPBadRequest'],
      [{ ip_version: 6 }, 'HTTPBadRequest'],
    ];
    for (const [values, type] of refused)
      expect(await outcomeOf(world.pools.update(id, { ...values })), JSON.stringify(values)).toBe(type);
    expect(await outcomeOf(world.pools.update(id, { name: 'x' }, 0))).toBe('RevisionNumberConstraintFailed');
    expect(await world.pools.show(id)).toMatchObject({ ...changes, revision_number: 1 });
  });

  test('are the default of their IP version at most once, even if two servers make one at the same time', async () => {
    const made = await Promise.allSettled(
      [world, world.second(), world.second()].map(({ pools }) =>
        pools.create({ name: 'p', prefixes: ['10.0.0.0/8'], is_default: true }),
      ),
    );
    expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    const six = await pool({ prefixes: ['fd00::/48'], is_default: true });
    const four = await pool();
    expect(await outcomeOf(world.pools.update(four.id, { is_default: true }))).toBe('InvalidInput');
    await world.pools.update(six.id, { is_default: false });
    const other = await pool({ prefixes: ['fd01::/48'] });
    expect(await world.pools.update(other.id, { is_default: true })).toMatchObject({ is_default: true });
    await world.pools.remove(other.id);
    expect(await world.pools.update(six.id, { is_default: true })).toMatchObject({ is_default: true });
  });

  test('are seen and used by their project, and by others when they are shared; only administrators share', async () => {
    const [p1, p2] = [memberOf('p1'), memberOf('p2')];
    const own = await pool({}, p2);
    const foreign = await pool();
    const shared = await pool({ shared: true });
    const seen = await world.pools.service.list(p2, list);
    expect(seen.map(({ id }) => id).sort()).toEqual([own.id, shared.id].sort());
    expect(await world.pools.service.list(p2, { ...list, filters: { shared: ['true'] } })).toMatchObject([
      { shared: true },
    ]);
    expect(await outcomeOf(world.pools.show(foreign.id, p2))).toBe('SubnetPoolNotFound');
    for (const values of [{ shared: true }, { is_default: true }])
      expect(await outcomeOf(pool(values, p1)), JSON.stringify(values)).toBe('PolicyNotAuthorized');
    expect(await outcomeOf(world.pools.update(shared.id, { name: 'x' }, undefined, p2))).toBe('PolicyNotAuthorized');
    const network = await world.networks.create({ name: 'n' }, p2);
    const wanted = { network_id: network.id, ip_version: 4, prefixlen: 24 };
    const subnet = (subnetpool_id: string) => world.subnets.create({ ...wanted, subnetpool_id }, p2);
    expect(await outcomeOf(subnet(foreign.id))).toBe('SubnetPoolNotFound');
    expect(await subnet(shared.id)).toMatchObject({ cidr: '10.0.0.0/24', subnetpool_id: shared.id });
  });
});

describe('address scopes', () => {
  test('contain pools of their IP version whose prefixes do not overlap, and are not deleted with them', async () => {
    const scope = await world.scopes.create({ ip_version: 4 });
    const inScope = (prefixes: readonly string[]) => pool({ prefixes, address_scope_id: scope.id });
    const first = await inScope(['10.0.0.0/16']);
    expect(await outcomeOf(inScope(['10.0.255.0/24']))).toBe('AddressScopePrefixConflict');
    expect(await outcomeOf(inScope(['fd00::/48']))).toBe('IllegalSubnetPoolIpVersionAssociationToAddressScope');
    const second = await inScope(['10.1.0.0/16']);
    expect(await outcomeOf(world.pools.update(second.id, { prefixes: ['10.0.0.0/15'] }))).toBe(
      'AddressScopePrefixConflict',
    );
    expect(await outcomeOf(world.scopes.remove(scope.id))).toBe('AddressScopeInUse');
    await world.pools.update(second.id, { address_scope_id: null });
    await world.pools.update(second.id, { prefixes: ['10.0.0.0/15'] });
    expect(await outcomeOf(world.pools.update(second.id, { address_scope_id: scope.id }))).toBe(
      'AddressScopePrefixConflict',
    );
    for (const { id } of [first, second]) await world.pools.remove(id);
    await world.scopes.remove(scope.id);
  });

  test('accept one of two overlapping pools that two servers add at the same time', async () => {
    const scope = await world.scopes.create({ ip_version: 4 });
    const made = await Promise.allSettled(
      [world, world.second()].map(({ pools }) =>
        pools.create({ name: 'p', prefixes: ['10.0.0.0/8'], address_scope_id: scope.id }),
      ),
    );
    expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('of others can be joined when shared; then only administrators change the pool', async () => {
    const p2 = memberOf('p2');
    const [hidden, shared] = [
      await world.scopes.create({ ip_version: 4 }),
      await world.scopes.create({ ip_version: 4, shared: true }),
    ];
    expect(await outcomeOf(pool({ address_scope_id: hidden.id }, p2))).toBe('AddressScopeNotFound');
    const made = await pool({ address_scope_id: shared.id }, p2);
    expect(await outcomeOf(world.pools.update(made.id, { name: 'x' }, undefined, p2))).toBe('IllegalSubnetPoolUpdate');
    expect(await world.pools.update(made.id, { name: 'x' })).toMatchObject({ name: 'x' });
  });

  test('must be accessible to those with whom a pool is shared', async () => {
    const scope = await world.scopes.create({ ip_version: 4 });
    const { id } = await pool({ address_scope_id: scope.id });
    for (const target of ['p2', '*']) expect(await outcomeOf(share('subnetpool', id, target))).toBe('InvalidInput');
    await share('address_scope', scope.id, 'p2');
    const entry = await share('subnetpool', id, 'p2');
    expect(await outcomeOf(world.shares.update(entry.id, { target_tenant: 'p3' }))).toBe('InvalidInput');
    expect(await world.pools.show(id, memberOf('p2'))).toMatchObject({ shared: true });
    expect(await world.pools.show(id)).toMatchObject({ shared: false });
  });
});

describe('shares', () => {
  test('of pools and scopes stay while another project needs them', async () => {
    const p2 = memberOf('p2');
    const scope = await world.scopes.create({ ip_version: 4 });
    const ofScope = await share('address_scope', scope.id, 'p2');
    const joined = await pool({ address_scope_id: scope.id }, p2);
    expect(await outcomeOf(world.shares.remove(ofScope.id))).toBe('RbacPolicyInUse');
    await world.pools.remove(joined.id, undefined, p2);
    await world.shares.remove(ofScope.id);

    const { id } = await pool({ prefixes: ['10.1.0.0/16'], default_prefixlen: 24 });
    const ofPool = await share('subnetpool', id, 'p2');
    const network = await world.networks.create({ name: 'n' }, p2);
    await world.subnets.create({ network_id: network.id, ip_version: 4, subnetpool_id: id }, p2);
    expect(await outcomeOf(world.shares.remove(ofPool.id))).toBe('RbacPolicyInUse');
    await world.networks.remove(network.id, undefined, p2);
    await world.shares.remove(ofPool.id);
    expect(await outcomeOf(world.pools.show(id, p2))).toBe('SubnetPoolNotFound');
  });
});
