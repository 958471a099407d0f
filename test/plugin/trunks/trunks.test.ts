import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CallersApi, openCallersApi } from '../../support/callers.ts';

let api: CallersApi;
let network: { readonly id: string };
beforeEach(async () => {
  api = await openCallersApi({ ml2_type_vlan: { network_vlan_ranges: ['physnet1:100:199'] } });
  network = await api.create('/networks', 'network', {}, 'p1');
});
afterEach(() => api.close());

const port = (values: object = {}, caller = 'p1') =>
  api.create('/ports', 'port', { network_id: network.id, ...values }, caller);
const vlan = (of: { readonly id: string }, id: number) => ({
  port_id: of.id,
  segmentation_type: 'vlan',
  segmentation_id: id,
});
const trunk = async (values: object = {}, caller = 'p1') =>
  api.create('/trunks', 'trunk', { port_id: (await port()).id, ...values }, caller);
const change = (id: string, action: 'add' | 'remove', subPorts: readonly object[], caller = 'p1') =>
  api.ask('PUT', `/trunks/${id}/${action}_subports`, { sub_ports: subPorts }, caller);

test('a trunk carries subports, which are added and removed, and shows in its parent port', async () => {
  const [a, b] = [await port(), await port()];
  const made = await trunk({ name: 't', sub_ports: [vlan(a, 10)] });
  expect(made).toMatchObject({ status: 'DOWN', admin_state_up: true, revision_number: 1, sub_ports: [vlan(a, 10)] });
  const added = await change(made.id, 'add', [vlan(b, 11)]);
  // As in Neutron, the trunk without its key.
  expect(added).toMatchObject({ status: 200, json: { id: made.id, sub_ports: [vlan(a, 10), vlan(b, 11)] } });
  expect((await api.ask('GET', `/trunks/${made.id}/get_subports`, undefined, 'p1')).json).toEqual({
    sub_ports: [vlan(a, 10), vlan(b, 11)],
  });
  const parent = (await api.ask('GET', `/ports/${made.port_id}`, undefined, 'p1')).json.port;
  expect(parent.trunk_details).toEqual({
    trunk_id: made.id,
    sub_ports: [
      { ...vlan(a, 10), mac_address: a.mac_address },
      { ...vlan(b, 11), mac_address: b.mac_address },
    ],
  });
  expect((await api.ask('GET', `/ports/${a.id}`)).json.port).not.toHaveProperty('trunk_details');
  expect((await change(made.id, 'remove', [{ port_id: a.id }])).json.sub_ports).toEqual([vlan(b, 11)]);
  expect(await change(made.id, 'remove', [{ port_id: a.id }])).toMatchObject({ status: 404, type: 'SubPortNotFound' });
});

test('a port is in one trunk, once, and is not deleted from under it', async () => {
  const a = await port();
  const one = await trunk({ sub_ports: [vlan(a, 10)] });
  const two = await trunk();
  expect((await change(two.id, 'add', [vlan(a, 10)])).type).toBe('TrunkPortInUse');
  expect((await change(two.id, 'add', [vlan({ id: one.port_id }, 10)])).type).toBe('TrunkPortInUse');
  expect((await change(two.id, 'add', [vlan({ id: two.port_id }, 10)])).type).toBe('ParentPortInUse');
  expect((await change(one.id, 'add', [vlan(await port(), 10)])).type).toBe('DuplicateSubPort');
  expect((await api.ask('POST', '/trunks', { trunk: { port_id: a.id } })).type).toBe('TrunkPortInUse');
  expect((await api.ask('DELETE', `/ports/${a.id}`)).type).toBe('PortInUseAsSubPort');
  expect((await api.ask('DELETE', `/ports/${one.port_id}`)).type).toBe('PortInUseAsTrunkParent');
  expect((await api.ask('DELETE', `/trunks/${one.id}`, undefined, 'p1')).status).toBe(204);
  expect((await api.ask('DELETE', `/ports/${a.id}`, undefined, 'p1')).status).toBe(204);
});

test.each([
  ['no list', { sub_ports: {} }, 'HTTPBadRequest'],
  ['no port', { sub_ports: [{}] }, 'HTTPBadRequest'],
  ['an unknown key', { sub_ports: [{ port_id: 'PORT', vid: 1 }] }, 'HTTPBadRequest'],
  ['no segmentation', { sub_ports: [{ port_id: 'PORT' }] }, 'InvalidInput'],
  [
    'an unknown type',
    { sub_ports: [{ port_id: 'PORT', segmentation_type: 'qinq', segmentation_id: 1 }] },
    'InvalidInput',
  ],
  [
    'an id out of range',
    { sub_ports: [{ port_id: 'PORT', segmentation_type: 'vlan', segmentation_id: 4095 }] },
    'InvalidInput',
  ],
  ['no number', { sub_ports: [{ port_id: 'PORT', segmentation_type: 'vlan', segmentation_id: 'x' }] }, 'InvalidInput'],
])('subports with %s are refused', async (_what, values, type) => {
  const { id } = await port();
  const body = JSON.parse(JSON.stringify(values).replaceAll('PORT', id)) as { sub_ports: object[] };
  const made = await trunk();
  expect(await api.ask('PUT', `/trunks/${made.id}/add_subports`, body)).toMatchObject({ status: 400, type });
});

test('subports inherit the VLAN of their network, and no larger MTU than the parent has', async () => {
  const of = await api.create('/networks', 'network', {
    project_id: 'p1',
    'provider:network_type': 'vlan',
    'provider:physical_network': 'physnet1',
    'provider:segmentation_id': 123,
  });
  const child = await port({ network_id: of.id });
  const made = await trunk();
  const inherit = { port_id: child.id, segmentation_type: 'inherit' };
  expect((await change(made.id, 'add', [inherit])).type).toBe('SubPortMtuGreaterThanTrunkPortMtu');
  await api.ask('PUT', `/networks/${of.id}`, { network: { mtu: 1400 } });
  expect((await change(made.id, 'add', [inherit])).json.sub_ports).toEqual([vlan(child, 123)]);
  expect((await change(made.id, 'add', [{ port_id: (await port()).id, segmentation_type: 'inherit' }])).type).toBe(
    'InvalidInput',
  );
});

test('a disabled trunk is neither changed nor deleted; a foreign one is not seen', async () => {
  const made = await trunk({ admin_state_up: false });
  expect((await change(made.id, 'add', [vlan(await port(), 10)])).type).toBe('TrunkDisabled');
  expect((await api.ask('DELETE', `/trunks/${made.id}`, undefined, 'p1')).type).toBe('TrunkDisabled');
  expect((await change(made.id, 'add', [], 'p2')).type).toBe('TrunkNotFound');
  expect((await api.ask('POST', '/trunks', { trunk: { port_id: (await port()).id } }, 'p2')).type).toBe('PortNotFound');
  await api.ask('PUT', `/trunks/${made.id}`, { trunk: { admin_state_up: true } }, 'p1');
  expect((await change(made.id, 'add', [vlan(await port(), 10)], 'p1:reader')).status).toBe(403);
  expect((await change(made.id, 'add', [vlan(await port(), 10)])).status).toBe(200);
});
