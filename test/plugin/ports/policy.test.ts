import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/auth/contract.ts';
import { methodAction } from '../../../src/auth/policy.ts';
import { ADMIN, memberOf } from '../../support/core.ts';
import { servicesOf } from '../../support/services.ts';
import { createWorld, type World } from '../world.ts';

const [owner, member, stranger] = [memberOf('p1'), memberOf('p2'), memberOf('p3')];
const reader: Caller = { ...member, roles: ['reader'] };
const service: Caller = { ...memberOf('ps'), roles: ['service'], isAdvsvc: true };
const LIST = { filters: {}, sorts: [], pageReverse: false };

let world: World;
/** A network of p1 that is shared with p2, its subnet, and a private network of p1. */
let net: { readonly shared: string; readonly subnet: string; readonly private: string };
beforeEach(async () => {
  world = await createWorld();
  const make = async (name: string, caller: Caller, values: object) =>
    String((await world.of(name).create(caller, [values]))[0]?.id);
  const shared = await make('network', owner, { name: 'shared' });
  const subnet = await make('subnet', owner, { network_id: shared, ip_version: 4, cidr: '10.1.0.0/24' });
  const entry = { object_type: 'network', object_id: shared, action: 'access_as_shared', target_tenant: 'p2' };
  await make('rbac_policy', owner, entry);
  net = { shared, subnet, private: await make('network', owner, { name: 'private' }) };
});
afterEach(() => world.close());

const create = async (caller: Caller, values: object): Promise<string> =>
  String((await world.of('port').create(caller, [{ network_id: net.shared, ...values }]))[0]?.id);
const update = (caller: Caller, id: string, changes: object) => world.of('port').update(caller, id, changes);
const denied = { type: 'PolicyNotAuthorized', status: 403 };

/** What only the owner of the network may say about a port on it, and what its user may say too. */
const ATTRIBUTES: readonly (readonly [string, () => object, 'owner' | 'user' | 'admin' | 'nobody'])[] = [
  ['name', () => ({ name: 'n' }), 'user'],
  ['device_id', () => ({ device_id: 'vm' }), 'user'],
  ['device_owner', () => ({ device_owner: 'compute:nova' }), 'user'],
  // CVE-2015-5240, CVE-2026-50266
  ['network:dhcp', () => ({ device_owner: 'network:dhcp' }), 'owner'],
  ['network:router_gateway', () => ({ device_owner: 'network:floatingip_agent_gateway' }), 'owner'],
  ['network:', () => ({ device_owner: 'network:' }), 'owner'],
  ['fixed_ips by subnet', () => ({ fixed_ips: [{ subnet_id: net.subnet }] }), 'user'],
  ['fixed_ips by address', () => ({ fixed_ips: [{ ip_address: '10.1.0.77' }] }), 'owner'],
  ['fixed_ips by both', () => ({ fixed_ips: [{ subnet_id: net.subnet, ip_address: '10.1.0.78' }] }), 'owner'],
  ['port_security_enabled', () => ({ port_security_enabled: false, security_groups: [] }), 'owner'],
  ['allowed_address_pairs', () => ({ allowed_address_pairs: [{ ip_address: '10.1.0.0/24' }] }), 'owner'],
  ['no allowed_address_pairs', () => ({ allowed_address_pairs: [] }), 'owner'],
  ['binding:host_id', () => ({ 'binding:host_id': 'h' }), 'admin'],
  ['binding:profile', () => ({ 'binding:profile': { a: 1 } }), 'admin'],
  ['binding:vnic_type', () => ({ 'binding:vnic_type': 'direct' }), 'user'],
];

describe('creating a port on a shared network', () => {
  test.each(ATTRIBUTES)('%s: %s', async (_, values, who) => {
    const asUser = create(member, values());
    if (who === 'user') await expect(asUser).resolves.toBeDefined();
    else await expect(asUser).rejects.toMatchObject(denied);
    // Addresses of the shared network's subnet do not fit the private one.
    const network_id = 'fixed_ips' in values() ? net.shared : net.private;
    const onOwn = create(owner, { ...values(), network_id });
    if (who === 'admin') await expect(onOwn).rejects.toMatchObject(denied);
    else await expect(onOwn).resolves.toBeDefined();
  });

  test('a MAC address is chosen by the owner of the network only', async () => {
    await expect(create(member, { mac_address: '52:54:00:00:00:01' })).rejects.toMatchObject(denied);
    await expect(create(owner, { mac_address: '52:54:00:00:00:01' })).resolves.toBeDefined();
  });

  test('services do what owners of the network do, and bind ports', async () => {
    const id = await create(service, {
      device_owner: 'network:x',
      'binding:host_id': 'h',
      mac_address: '52:54:00:00:00:02',
    });
    expect(await world.of('port').show(service, id)).toMatchObject({ 'binding:host_id': 'h' });
  });

  test('readers create nothing, and strangers do not see the network', async () => {
    await expect(create(reader, {})).rejects.toMatchObject(denied);
    for (const values of [{}, { device_owner: 'network:dhcp' }, { 'binding:host_id': 'h' }])
      await expect(create(stranger, values)).rejects.toMatchObject({ type: 'NetworkNotFound', status: 404 });
  });

  test('a subnet that the caller does not see does not exist', async () => {
    const network = String((await world.of('network').create(stranger, [{}]))[0]?.id);
    const [subnet] = await world
      .of('subnet')
      .create(stranger, [{ network_id: network, ip_version: 4, cidr: '10.2.0.0/24' }]);
    const foreign = { fixed_ips: [{ subnet_id: subnet?.id }] };
    await expect(create(member, foreign)).rejects.toMatchObject({ type: 'SubnetNotFound', status: 404 });
    await expect(update(member, await create(member, {}), foreign)).rejects.toMatchObject({ status: 403 });
    await expect(create(owner, foreign)).rejects.toMatchObject({ type: 'SubnetNotFound' });
  });
});

describe('updating a port on a shared network', () => {
  test.each(ATTRIBUTES.filter(([name]) => name !== 'fixed_ips by subnet'))('%s: %s', async (_, values, who) => {
    const id = await create(member, {});
    if (who === 'user') await expect(update(member, id, values())).resolves.toBeDefined();
    else await expect(update(member, id, values())).rejects.toMatchObject(denied);
    await expect(update(ADMIN, id, values())).resolves.toBeDefined();
  });

  test('what is a default may not be set either, once it differs (CVE-2014-6414)', async () => {
    const id = await create(member, {});
    await update(ADMIN, id, { 'binding:profile': { a: 1 }, allowed_address_pairs: [{ ip_address: '10.1.0.9' }] });
    for (const changes of [{ 'binding:profile': {} }, { 'binding:profile': null }, { allowed_address_pairs: [] }])
      await expect(update(member, id, changes)).rejects.toMatchObject(denied);
    const network = { 'router:external': false, shared: false };
    for (const [name, value] of Object.entries(network))
      await expect(world.of('network').update(owner, net.private, { [name]: value })).rejects.toMatchObject(denied);
  });

  test('a MAC address changes by administrators, services and managers of the network', async () => {
    const id = await create(owner, {});
    const mac = (n: number) => ({ mac_address: `52:54:00:00:01:0${n}` });
    await expect(update(owner, id, mac(1))).rejects.toMatchObject(denied);
    await update({ ...owner, roles: ['manager', 'member', 'reader'] }, id, mac(2));
    await update(service, id, mac(3));
  });

  test('a port becomes one of a network service only by those who may create one, also right after its creation', async () => {
    const [id] = await Promise.all([create(member, { device_owner: 'compute:nova' })]);
    for (const device_owner of ['network:dhcp', 'network:router_interface', 'network:ha_router_replicated_interface'])
      await expect(update(member, id, { device_owner, device_id: 'x' })).rejects.toMatchObject(denied);
    expect(await world.of('port').show(member, id)).toMatchObject({ device_owner: 'compute:nova', device_id: '' });
  });

  test('foreign ports do not exist; those on the own network are seen and deleted, not changed', async () => {
    const id = await create(member, {});
    await expect(update(stranger, id, { name: 'x' })).rejects.toMatchObject({ type: 'PortNotFound', status: 404 });
    await expect(update(owner, id, { name: 'x' })).rejects.toMatchObject(denied);
    await expect(update(reader, id, { name: 'x' })).rejects.toMatchObject(denied);
    expect(await world.of('port').show(owner, id)).toMatchObject({ project_id: 'p2' });
    await world.of('port').delete(owner, id);
  });
});

describe('the router of somebody else (CVE-2014-0056)', () => {
  test('gets no interface by a port that claims to be one, in one step or in two', async () => {
    const [router] = await world.of('router').create(owner, [{ name: 'r' }]);
    const network_id = String((await world.of('network').create(member, [{}]))[0]?.id);
    const [device, owned] = [{ device_id: String(router?.id) }, { device_owner: 'network:router_interface' }];
    const foreign = { type: 'DeviceIDNotOwnedByTenant', status: 409 };
    await expect(create(member, { network_id, ...device, ...owned })).rejects.toMatchObject(foreign);
    for (const [first, second] of [
      [device, owned],
      [owned, device],
    ]) {
      const port = await create(member, { network_id, ...first });
      await expect(update(member, port, second ?? {})).rejects.toMatchObject(foreign);
    }
  });
});

describe('what one may not see', () => {
  test('is absent from documents, does not filter lists, and does not sort them', async () => {
    const id = await create(member, {});
    await update(ADMIN, id, { 'binding:host_id': 'secret-host' });
    const document = await world.of('port').show(member, id);
    for (const name of ['binding:host_id', 'binding:profile', 'binding:vif_type', 'binding:vif_details'])
      expect(document).not.toHaveProperty(name);
    const found = (caller: Caller, host: string) =>
      world.of('port').list(caller, { ...LIST, filters: { 'binding:host_id': [host] } });
    expect((await found(ADMIN, 'secret-host')).length).toBe(1);
    for (const host of ['secret-host', 'other']) expect(await found(member, host)).toEqual([]);
    const networks = (caller: Caller, type: string) =>
      world.of('network').list(caller, { ...LIST, filters: { 'provider:network_type': [type] } });
    expect((await networks(ADMIN, 'vxlan')).length).toBe(2);
    for (const type of ['vxlan', 'vlan']) expect(await networks(owner, type)).toEqual([]);
  });
});

describe('tags (CVE-2024-53916, CVE-2026-49299)', () => {
  const tag = (caller: Caller, name: string, id: string, action = 'add_tag') =>
    world.of(name).act(caller, action, { id, parameters: { tag: 't' }, body: { tags: ['t'] }, revision: undefined });

  test.each(['add_tag', 'replace_tags', 'delete_tags', 'delete_tag'])(
    'of what is shared are not changed by those it is shared with: %s',
    async (action) => {
      await tag(owner, 'network', net.shared);
      for (const caller of [member, reader])
        await expect(tag(caller, 'network', net.shared, action)).rejects.toMatchObject(denied);
      await expect(tag(stranger, 'network', net.shared, action)).rejects.toMatchObject({ type: 'TagResourceNotFound' });
      expect(await world.of('network').show(member, net.shared)).toMatchObject({ tags: ['t'] });
      await expect(tag(owner, 'network', net.shared, action)).resolves.not.toThrow();
    },
  );

  test('of subnets are changed by the owner of the network too, of ports only by their own project', async () => {
    const port = await create(member, {});
    await expect(tag(owner, 'port', port)).rejects.toMatchObject(denied);
    await tag(member, 'port', port);
    await expect(tag(member, 'subnet', net.subnet)).rejects.toMatchObject(denied);
    await tag(owner, 'subnet', net.subnet);
  });

  test('have rules by the singular name of the resource, as the other actions', () => {
    const { all, policy } = servicesOf(world.core);
    const tagged = all.filter(({ resource }) => resource.tagged);
    expect(tagged.length).toBeGreaterThan(5);
    for (const { resource } of tagged) {
      const one = methodAction(resource, 'show').replace(/^get_/, '');
      for (const verb of ['get', 'update', 'delete']) expect(policy.has(`${verb}_${one}:tags`), one).toBe(true);
    }
    expect(policy.actions.filter((action) => /s_tags$|s:tags$/.test(action))).toEqual([]);
  });
});
