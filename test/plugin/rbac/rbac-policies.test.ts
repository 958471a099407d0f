import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RBAC_POLICY } from '../../../src/resources/rbac-policy.ts';
import { ADMIN, memberOf } from '../../support/core.ts';
import { createWorld, type World } from '../world.ts';

const [p1, p2, p3] = [memberOf('p1'), memberOf('p2'), memberOf('p3')];
const LIST = { filters: {}, sorts: [], pageReverse: false };

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const made = async (name: string, caller = p1, values: object = {}): Promise<string> => {
  const [document] = await world.of(name).create(caller, [{ name: 'x', ...values }]);
  return String(document?.id);
};
const policies = () => world.of('rbac_policy');
const share = async (object_id: string, target_tenant: unknown, caller = p1, values: object = {}): Promise<string> => {
  const body = { object_type: 'network', object_id, action: 'access_as_shared', target_tenant, ...values };
  const [policy] = await policies().create(caller, [body]);
  return String(policy?.id);
};
const external = { action: 'access_as_external' };
const sees = async (caller: typeof p1, id: string, name = 'network'): Promise<boolean> =>
  (await world.of(name).list(caller, { ...LIST, filters: { id: [id] } })).length === 1;
const networkOf = (id: string, caller = ADMIN) => world.of('network').show(caller, id);

describe('RBAC policies', () => {
  test('have exactly the attributes of the API reference, and give their target access', async () => {
    const network = await made('network');
    expect(await sees(p2, network)).toBe(false);
    const id = await share(network, 'p2');
    expect(await policies().show(p1, id)).toEqual({
      id,
      object_type: 'network',
      object_id: network,
      action: 'access_as_shared',
      target_tenant: 'p2',
      project_id: 'p1',
      tenant_id: 'p1',
    });
    expect(await networkOf(network, p2)).toMatchObject({ shared: true });
    expect(await networkOf(network, p1)).toMatchObject({ shared: false });
    expect(await sees(p3, network)).toBe(false);
    await world.of('port').create(p2, [{ network_id: network }]);
    await expect(world.of('port').create(p3, [{ network_id: network }])).rejects.toMatchObject({
      type: 'NetworkNotFound',
    });
  });

  test.each([
    ['address_scope', { ip_version: 4 }, 'address_scope'],
    ['subnetpool', { prefixes: ['10.0.0.0/16'] }, 'subnetpool'],
    ['security_group', {}, 'security_group'],
    ['address_group', { addresses: [] }, 'address_group'],
    ['policy', {}, 'qos_policy'],
  ])('share every type of object: %s', async (name, values, object_type) => {
    const id = await made(name, ADMIN, { ...values, project_id: 'p1' });
    expect(await sees(p2, id, name)).toBe(false);
    await share(id, 'p2', ADMIN, { object_type });
    expect(await sees(p2, id, name)).toBe(true);
    expect(await sees(p3, id, name)).toBe(false);
    // As in Neutron, address groups do not show it.
    if (name !== 'address_group') expect(await world.of(name).show(p2, id)).toMatchObject({ shared: true });
    await expect(share(id, 'p3', ADMIN, { object_type, ...external })).rejects.toMatchObject({
      type: 'InvalidActionForType',
      status: 400,
    });
  });

  test('are seen and changed only by their owner: the target sees the object, not the policy', async () => {
    const id = await share(await made('network'), 'p2');
    for (const caller of [p2, p3]) {
      await expect(policies().show(caller, id)).rejects.toMatchObject({ type: 'RbacPolicyNotFound', status: 404 });
      await expect(policies().delete(caller, id)).rejects.toMatchObject({ status: 404 });
      await expect(policies().update(caller, id, { target_tenant: 'p3' })).rejects.toMatchObject({ status: 404 });
      expect(await policies().list(caller, LIST)).toEqual([]);
    }
    await policies().delete(p1, id);
    await expect(policies().delete(p1, id)).rejects.toMatchObject({ type: 'RbacPolicyNotFound' });
  });

  test('are made by the owner of the object, or an administrator; whether it exists is not revealed', async () => {
    const network = await made('network');
    const foreign = await share(network, 'p3', p2).catch((error: Error) => error.message);
    const missing = await share('99999999-9999-4999-8999-999999999999', 'p3', p2).catch((e: Error) => e.message);
    expect(foreign).toMatch(/only administrators share what belongs to other projects/);
    expect(missing).toBe(foreign);
    await share(network, 'p2');
    await expect(share(network, 'p3', p2)).rejects.toMatchObject({ type: 'InvalidInput' });
    await share(network, 'p3', ADMIN);
    await expect(share('99999999-9999-4999-8999-999999999999', 'p3', ADMIN)).rejects.toMatchObject({
      type: 'InvalidInput',
    });
  });

  test('for all projects need an administrator, on create and on update', async () => {
    const network = await made('network');
    await expect(share(network, '*')).rejects.toMatchObject({ type: 'PolicyNotAuthorized', status: 403 });
    const id = await share(network, 'p2');
    await expect(policies().update(p1, id, { target_tenant: '*' })).rejects.toMatchObject({ status: 403 });
    await policies().update(ADMIN, id, { target_tenant: '*' });
    expect(await networkOf(network, p3)).toMatchObject({ shared: true });
  });

  test.each([
    ['*' + ' ', 'InvalidInput'],
    [' *', 'InvalidInput'],
    ['', 'InvalidInput'],
    ['p2 ', 'InvalidInput'],
    [5, 'HTTPBadRequest'],
    [null, 'HTTPBadRequest'],
    ['x'.repeat(256), 'HTTPBadRequest'],
    ['a\nb', 'HTTPBadRequest'],
  ])('refuse the target %j', async (target, type) => {
    const network = await made('network');
    await expect(share(network, target)).rejects.toMatchObject({ status: 400, type });
    expect(await policies().list(ADMIN, LIST)).toEqual([]);
  });

  test('compare targets as they are written: a name gives access to nobody', async () => {
    const network = await made('network');
    await share(network, 'P2');
    await share(network, 'demo');
    expect(await sees(p2, network)).toBe(false);
  });

  test('exist once, however many ask at once', async () => {
    const network = await made('network');
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => share(network, 'p2')));
    const refused = results.flatMap((r) => (r.status === 'rejected' ? [r.reason as { type: string }] : []));
    expect(refused.map(({ type }) => type)).toEqual(Array.from({ length: 7 }, () => 'DuplicateRbacPolicy'));
    const other = await share(network, 'p3');
    await expect(policies().update(p1, other, { target_tenant: 'p2' })).rejects.toMatchObject({
      type: 'DuplicateRbacPolicy',
    });
    expect(await policies().show(p1, other)).toMatchObject({ target_tenant: 'p3' });
  });

  test('reject unknown types, actions and attributes that do not change', async () => {
    const network = await made('network');
    await expect(share(network, 'p2', p1, { object_type: 'router' })).rejects.toMatchObject({ type: 'InvalidInput' });
    await expect(share(network, 'p2', p1, { action: 'access' })).rejects.toMatchObject({
      type: 'InvalidActionForType',
    });
    const id = await share(network, 'p2', p1, { object_type: ' Network ' });
    for (const change of [{ object_id: network }, { action: 'access_as_external' }, { object_type: 'network' }])
      await expect(policies().update(p1, id, change)).rejects.toMatchObject({ status: 400 });
  });

  test('are listed with filters, sort keys and pages', async () => {
    const [a, b] = [await made('network'), await made('network')];
    await share(a, 'p2');
    await share(a, 'p3');
    await share(b, 'p2');
    const targets = async (filters: object) =>
      (
        await policies().list(p1, {
          ...LIST,
          filters: { ...filters },
          sorts: [{ attribute: 'target_tenant', descending: true }],
        })
      ).map(({ object_id, target_tenant }) => [object_id, target_tenant]);
    expect(await targets({ object_id: [a] })).toEqual([
      [a, 'p3'],
      [a, 'p2'],
    ]);
    expect((await targets({ target_tenant: ['p2'] })).length).toBe(2);
    expect(await targets({ object_type: ['qos_policy'] })).toEqual([]);
    const all = await policies().list(p1, LIST);
    const page = await policies().list(p1, { ...LIST, limit: 2, marker: String(all[0]?.id) });
    expect(page).toEqual(all.slice(1));
  });

  test('count against a quota', () => {
    expect(RBAC_POLICY.quota).toBe(true);
  });
});

describe('access that is in use', () => {
  test('is not withdrawn from a project with ports, unless another policy covers it', async () => {
    const network = await made('network');
    const id = await share(network, 'p2');
    const [port] = await world.of('port').create(p2, [{ network_id: network }]);
    const inUse = { type: 'RbacPolicyInUse', status: 409 };
    await expect(policies().delete(p1, id)).rejects.toMatchObject(inUse);
    await expect(policies().update(p1, id, { target_tenant: 'p3' })).rejects.toMatchObject(inUse);
    const wildcard = await share(network, '*', ADMIN);
    await policies().delete(p1, id);
    await expect(policies().delete(ADMIN, wildcard)).rejects.toMatchObject(inUse);
    await expect(policies().update(ADMIN, wildcard, { target_tenant: 'p3' })).rejects.toMatchObject(inUse);
    await expect(world.updateNetwork(network, { shared: false })).rejects.toMatchObject({
      type: 'InvalidSharedSetting',
      status: 409,
    });
    expect(await networkOf(network, p2)).toMatchObject({ shared: true });
    // As in Neutron: only a wildcard replaces an access that is in use.
    await expect(policies().update(ADMIN, wildcard, { target_tenant: 'p2' })).rejects.toMatchObject(inUse);
    await world.of('port').delete(p2, String(port?.id));
    await policies().update(ADMIN, wildcard, { target_tenant: 'p2' });
    await policies().delete(ADMIN, wildcard);
    expect(await sees(p2, network)).toBe(false);
  });

  test('is not withdrawn from projects with subnets by shared: false', async () => {
    const network = await made('network', ADMIN, { shared: true });
    const [subnet] = await world
      .of('subnet')
      .create(ADMIN, [{ network_id: network, ip_version: 4, cidr: '10.9.0.0/24', project_id: 'p2' }]);
    await expect(world.updateNetwork(network, { shared: false })).rejects.toMatchObject({
      type: 'InvalidSharedSetting',
    });
    await world.of('subnet').delete(ADMIN, String(subnet?.id));
    await world.updateNetwork(network, { shared: false });
    expect(await sees(p2, network)).toBe(false);
  });
});

describe('external networks', () => {
  test('are external for those whom a policy names, and internal once the last one is gone', async () => {
    const network = await made('network', ADMIN);
    const before = await networkOf(network);
    const id = await share(network, 'p2', ADMIN, external);
    expect(await networkOf(network, p2)).toMatchObject({ 'router:external': true, shared: false });
    expect(await sees(p3, network)).toBe(false);
    expect((await networkOf(network)).revision_number).toBeGreaterThan(Number(before.revision_number));
    await expect(world.of('port').create(p2, [{ network_id: network }])).rejects.toMatchObject({
      status: 403,
      type: 'HTTPForbidden',
    });
    const second = await share(network, 'p3', ADMIN, external);
    await policies().delete(ADMIN, id);
    expect(await networkOf(network, p3)).toMatchObject({ 'router:external': true });
    await policies().delete(ADMIN, second);
    expect(await networkOf(network)).toMatchObject({ 'router:external': false });
  });

  test('are visible to all by a policy of their own, which goes when they are made internal', async () => {
    const network = await made('network', ADMIN, { 'router:external': true });
    const entries = () => policies().list(ADMIN, { ...LIST, filters: { object_id: [network] } });
    expect(await entries()).toMatchObject([{ action: 'access_as_external', target_tenant: '*', project_id: 'p1' }]);
    expect(await sees(p3, network)).toBe(true);
    await world.updateNetwork(network, { 'router:external': false });
    expect(await entries()).toEqual([]);
    expect(await sees(p3, network)).toBe(false);
  });

  test('stay visible to all while they are the default, and to projects with gateways on them', async () => {
    const network = await made('network', ADMIN, { 'router:external': true, is_default: true });
    await world.subnet(network, '198.18.0.0/24', { enable_dhcp: false });
    const [entry] = await policies().list(ADMIN, { ...LIST, filters: { object_id: [network] } });
    const id = String(entry?.id);
    const inUse = { type: 'RbacPolicyInUse', status: 409 };
    await expect(policies().delete(ADMIN, id)).rejects.toMatchObject(inUse);
    await world.updateNetwork(network, { is_default: false });
    const router = await made('router', p2, { external_gateway_info: { network_id: network } });
    await expect(policies().delete(ADMIN, id)).rejects.toMatchObject(inUse);
    await expect(world.updateNetwork(network, { 'router:external': false })).rejects.toMatchObject({
      type: 'ExternalNetworkInUse',
    });
    await expect(policies().update(ADMIN, id, { target_tenant: 'p3' })).rejects.toMatchObject(inUse);
    expect(await policies().update(ADMIN, id, { target_tenant: 'p2' })).toMatchObject({ target_tenant: 'p2' });
    const all = await share(network, '*', ADMIN, external);
    await policies().delete(ADMIN, all);
    expect([await sees(p2, network), await sees(p3, network)]).toEqual([true, false]);
    await world.of('router').delete(p2, router);
  });
});
