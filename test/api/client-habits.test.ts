import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CallersApi, openCallersApi } from '../support/callers.ts';

/** What tempest and other clients of Neutron rely on, found by running them (test/interop). */

let api: CallersApi;
beforeEach(async () => {
  api = await openCallersApi();
});
afterEach(() => api.close());

const network = (values: object = {}, caller = 'p1') => api.create('/networks', 'network', values, caller);

test('items of a bulk request may be wrapped like a single one', async () => {
  const names = ['a', 'b'];
  const body = { security_groups: names.map((name) => ({ security_group: { name } })) };
  const { status, json } = await api.ask('POST', '/security-groups', body, 'p1');
  expect(status).toBe(201);
  expect(json.security_groups.map((group: { name: string }) => group.name)).toEqual(names);
  const broken = await api.ask('POST', '/networks', { networks: [{ network: 1 }] }, 'p1');
  expect(broken).toMatchObject({ status: 400, type: 'HTTPBadRequest' });
});

test('subnets are filtered by whether their network is shared with the viewer', async () => {
  const [own, shared] = [await network(), await network({ shared: true }, 'admin')];
  const subnet = async (id: string, caller: string) =>
    (await api.create('/subnets', 'subnet', { network_id: id, ip_version: 4, cidr: '192.0.2.0/24' }, caller)).id;
  const [first, second] = [await subnet(own.id, 'p1'), await subnet(shared.id, 'admin')];
  const found = async (value: string) =>
    (await api.ask('GET', `/subnets?shared=${value}`, undefined, 'p1')).json.subnets.map((s: { id: string }) => s.id);
  expect(await found('False')).toEqual([first]);
  expect(await found('true')).toEqual([second]);
});

test('a port names no security group twice', async () => {
  const { id } = await api.create('/security-groups', 'security_group', {}, 'p1');
  const { id: net } = await network();
  const twice = { network_id: net, security_groups: [id, id] };
  expect(await api.ask('POST', '/ports', { port: twice }, 'p1')).toMatchObject({ status: 400, type: 'HTTPBadRequest' });
});

test('details of QoS rule types are denied to members, not hidden', async () => {
  const { status, type } = await api.ask('GET', '/qos/rule-types/bandwidth_limit', undefined, 'p1');
  expect([status, type]).toEqual([403, 'NotAuthorized']);
});

test('access to a QoS policy in use is neither withdrawn nor moved, not even to its user', async () => {
  const { id } = await api.create('/qos/policies', 'policy', { shared: true });
  await network({ qos_policy_id: id }, 'p2');
  const {
    json: { rbac_policies: entries },
  } = await api.ask('GET', `/rbac-policies?object_id=${id}`);
  const moved = await api.ask('PUT', `/rbac-policies/${entries[0].id}`, { rbac_policy: { target_tenant: 'p2' } });
  expect(moved).toMatchObject({ status: 409, type: 'RbacPolicyInUse' });
  expect(await api.ask('DELETE', `/rbac-policies/${entries[0].id}`)).toMatchObject({ status: 409 });
});

test('a QoS policy that its owner uses stays shared', async () => {
  const { id } = await api.create('/qos/policies', 'policy', { shared: true, project_id: 'p1' });
  const used = await network({ qos_policy_id: id });
  const unshare = () => api.ask('PUT', `/qos/policies/${id}`, { policy: { shared: false } });
  expect(await unshare()).toMatchObject({ status: 409, type: 'RbacPolicyInUse' });
  await api.ask('DELETE', `/networks/${used.id}`, undefined, 'p1');
  expect((await unshare()).json.policy.shared).toBe(false);
});

test('flavors of other services exist, and are not for routers', async () => {
  const { id } = await api.create('/flavors', 'flavor', { service_type: 'FLAVORS' });
  const router = await api.ask('POST', '/routers', { router: { flavor_id: id } });
  expect(router).toMatchObject({ status: 400, type: 'InvalidServiceType' });
});

test('a subport without segmentation is refused before its port is looked for', async () => {
  const { id: net } = await network();
  const { id } = await api.create('/ports', 'port', { network_id: net }, 'p1');
  const sub_ports = [{ port_id: net, segmentation_type: 'vlan' }];
  const answer = await api.ask('POST', '/trunks', { trunk: { port_id: id, sub_ports } }, 'p1');
  expect(answer).toMatchObject({ status: 400, type: 'InvalidInput' });
});

test('an external network is deleted with its floating IPs that nobody uses', async () => {
  const { id } = await network({ 'router:external': true }, 'admin');
  await api.create('/subnets', 'subnet', { network_id: id, ip_version: 4, cidr: '192.0.2.0/24' }, 'admin');
  await api.create('/floatingips', 'floatingip', { floating_network_id: id }, 'p1');
  expect((await api.ask('DELETE', `/networks/${id}`)).status).toBe(204);
  expect((await api.ask('GET', '/floatingips')).json.floatingips).toEqual([]);
});

test('types of service that begin like compute: are accepted', async () => {
  const { id } = await network({}, 'admin');
  const wanted = {
    network_id: id,
    ip_version: 4,
    cidr: '192.0.2.0/24',
    service_types: ['network:distributed', 'test:type_1'],
  };
  expect((await api.create('/subnets', 'subnet', wanted, 'admin')).service_types).toEqual(wanted.service_types);
});
