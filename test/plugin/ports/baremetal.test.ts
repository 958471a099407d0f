import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reportState } from '../../../src/plugin/agents/report.ts';
import type { Document } from '../../../src/plugin/module.ts';
import { completeProvisioning } from '../../../src/plugin/provisioning.ts';
import { createWorld, reportTime, type World } from '../world.ts';

const NODE = '8f1c2a0e-0d5b-4d5c-9c2f-3f1f6f1a7b10';

/** A report of ironic-neutron-agent (networking-baremetal 6.0.0), whose host is the id of the node. */
const nodeState = (physicalNetworks: readonly string[], host = NODE): Document => ({
  binary: 'ironic-neutron-agent',
  host,
  topic: 'N/A',
  configurations: {
    bridge_mappings: Object.fromEntries(physicalNetworks.map((name) => [name, 'yes'])),
    log_agent_heartbeats: false,
  },
  start_flag: true,
  agent_type: 'Baremetal Node',
});

describe('ports of bare-metal machines', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld({
      ml2_type_vlan: { network_vlan_ranges: ['physnet1:100:199', 'physnet2:100:199'] },
    });
  });
  afterEach(() => world.close());

  const provider = (type: string, more: Document = {}) =>
    world.network({ 'provider:network_type': type, 'provider:physical_network': 'physnet1', ...more });
  const vlan = () => provider('vlan', { 'provider:segmentation_id': 101 });
  /** As Ironic creates and binds them. */
  const bound = { 'binding:vnic_type': 'baremetal', 'binding:host_id': NODE, device_owner: 'baremetal:none' };
  const link = { switch_id: '00:11:22:33:44:55', port_id: 'Gi1/0/1', switch_info: 'leaf1' };
  const profile = { local_link_information: [link] };
  const report = (state: Document) => reportState(world.core, state, reportTime());

  test.each([
    ['flat', () => provider('flat')],
    ['vlan', vlan],
  ])('are bound on a %s network that their node is connected to, and ACTIVE at once', async (_, network) => {
    await report(nodeState(['physnet1']));
    const port = await world.port(await network(), { ...bound, 'binding:profile': profile });
    expect(port).toMatchObject({
      'binding:vif_type': 'other',
      'binding:vif_details': { connectivity: 'l2' },
      'binding:profile': profile,
      status: 'ACTIVE',
    });
    expect(await world.portOf(port.id)).toEqual(port);
    const levels = await world.core.db.kysely
      .selectFrom('ml2_port_binding_levels')
      .select(['host', 'driver'])
      .execute();
    expect(levels).toEqual([{ host: NODE, driver: 'baremetal' }]);
  });

  test('wait for DHCP alone', async () => {
    await report(nodeState(['physnet1']));
    const network = await vlan();
    await world.subnet(network, '10.0.0.0/24');
    await world.dhcpAgent('h');
    const { id } = await world.port(network, bound);
    expect(await world.portOf(id)).toMatchObject({ 'binding:vif_type': 'other', status: 'DOWN' });
    await world.transaction((trx) => completeProvisioning(trx, world.core, [id], 'DHCP'));
    expect(await world.portOf(id)).toMatchObject({ status: 'ACTIVE' });
  });

  test('are bound when Ironic attaches them, and unbound when it detaches them', async () => {
    const { id } = await world.port(await vlan(), { device_owner: 'compute:nova' });
    expect(await world.updatePort(id, bound)).toMatchObject({ 'binding:vif_type': 'binding_failed', status: 'DOWN' });
    await report(nodeState(['physnet1']));
    const attached = await world.updatePort(id, { 'binding:host_id': NODE, 'binding:profile': profile });
    expect(attached).toMatchObject({ 'binding:vif_type': 'other', status: 'ACTIVE' });
    expect(await world.portOf(id)).toEqual(attached);
    const detached = await world.updatePort(id, { 'binding:host_id': '', 'binding:profile': {} });
    expect(detached).toMatchObject({ 'binding:vif_type': 'unbound', status: 'DOWN' });
  });

  test.each<[why: string, state: Document | undefined, network: () => Promise<string>, values?: Document]>([
    ['no agent reports for the node', undefined, vlan],
    ['the node is connected to another physical network', nodeState(['physnet2']), vlan],
    ['the node is connected to none', nodeState([]), vlan],
    ['the network is a tunnel', nodeState(['physnet1']), () => world.network()],
    ['the network is local', nodeState(['physnet1']), () => world.network({ 'provider:network_type': 'local' })],
    ['the port is a virtual machine’s', nodeState(['physnet1']), vlan, { 'binding:vnic_type': 'normal' }],
  ])('are not bound if %s', async (_, state, network, values) => {
    if (state) await report(state);
    const port = await world.port(await network(), { ...bound, ...values });
    expect(port).toMatchObject({ 'binding:vif_type': 'binding_failed', 'binding:vif_details': {}, status: 'DOWN' });
  });

  test('are not bound while the agent is silent, nor by the agent of a virtual machine’s host', async () => {
    await report(nodeState(['physnet1']));
    const { id } = await world.core.db.kysely.selectFrom('agents').select('id').executeTakeFirstOrThrow();
    await world.kill(id);
    await world.l2Agent('compute1', { configurations: { interface_mappings: { physnet1: 'eth1' } } });
    const network = await vlan();
    for (const host of [NODE, 'compute1'])
      expect(await world.port(network, { ...bound, 'binding:host_id': host })).toMatchObject({
        'binding:vif_type': 'binding_failed',
      });
  });
});
