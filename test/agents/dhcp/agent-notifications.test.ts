import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tapName } from '../../../src/net/device-names.ts';
import type { NetworkInfo, PortDocument } from '../../../src/rpc/documents.ts';
import { network, port, subnet } from './documents.ts';
import { World } from './world.ts';

let world: World;
let net: NetworkInfo;
const subnetId = () => net.subnets[0]?.id as string;
const fixed = (ip_address: string) => ({ fixed_ips: [{ subnet_id: subnetId(), ip_address }] });

beforeEach(async () => {
  world = new World();
  const bare = network();
  net = world.server.put({ ...bare, ports: [port(bare.id)] });
  await world.startAndSync({ DEFAULT: { resync_interval: 1 } });
  await world.until(() => expect(world.server.ready()).toHaveLength(2));
  world.server.calls.length = 0;
});
afterEach(() => world.close());

const created = (one: PortDocument, priority = 5) =>
  world.notify('port_create_end', { payload: { port: world.server.setPort(one), priority } });
const served = () => world.driver.ports(net.id)?.map((one) => one.id) ?? [];
/** One more pass, so that whatever came before it has had its own. */
async function onePassMore(): Promise<void> {
  const marker = port(net.id);
  await created(marker, 15);
  await world.until(() => expect(served()).toContain(marker.id));
}

describe('notifications of ports', () => {
  it('a new one is served out of the message itself, and its readiness told, without another question', async () => {
    const one = port(net.id, fixed('10.0.0.50'));
    await created(one);
    await world.until(() => expect(world.server.ready()).toEqual([one.id]));
    expect(world.driver.ports(net.id)).toContainEqual(one);
    expect(world.server.calls.map((call) => call.method)).toEqual(['dhcp_ready_on_ports']);
    expect(world.devices.ensured).toHaveLength(1);
  });

  it('a changed one replaces the old, an older or repeated message changes nothing', async () => {
    const one = port(net.id, { revision_number: 5, ...fixed('10.0.0.50') });
    await created(one);
    await world.until(() => expect(served()).toContain(one.id));
    const moved = { ...one, revision_number: 7, ...fixed('10.0.0.60') };
    await world.notify('port_update_end', { payload: { port: moved, priority: 6 } });
    await world.until(() => expect(world.driver.ports(net.id)).toContainEqual(moved));
    const passes = world.driver.passes(net.id).length;
    await world.notify('port_update_end', { payload: { port: { ...one, revision_number: 6 }, priority: 6 } });
    await world.notify('port_update_end', { payload: { port: moved, priority: 6 } });
    await world.notify('port_create_end', { payload: { port: one, priority: 5 } });
    await world.settled();
    expect(world.driver.passes(net.id)).toHaveLength(passes);
    await onePassMore();
    expect(world.driver.ports(net.id)).toContainEqual(moved);
    expect(world.server.ready().filter((id) => id === one.id)).toEqual([one.id, one.id]);
  });

  it('those that come while the driver collects are handed over together, and no other network waits for them', async () => {
    await world.stop();
    await world.startAndSync({ DEFAULT: { num_sync_threads: 1 } });
    const other = world.server.put(network());
    let resting = true;
    world.driver.rests = () => (resting ? 1 : 0);
    const whole = world.driver.handed.length + 1;
    const ports = Array.from({ length: 20 }, () => port(net.id));
    for (const one of ports) await created(one);
    await world.notify('network_create_end', { payload: { network: { id: other.id }, priority: 6 } });
    await world.until(() => expect(world.driver.serving.has(other.id)).toBe(true));
    expect(world.driver.handed).toHaveLength(whole);
    resting = false;
    await world.until(() => expect(served()).toEqual(expect.arrayContaining(ports.map((one) => one.id))));
    expect(world.driver.handed).toHaveLength(whole + 1);
  });

  it('a creation that comes after an agent was restarted, of a port that is gone, is found out', async () => {
    const gone = port(net.id, fixed('10.0.0.50'));
    await world.notify('port_create_end', { payload: { port: gone, priority: 5 } });
    await world.until(() => expect(served()).toContain(gone.id));
    await world.until(() => expect(served()).not.toContain(gone.id));
    expect(served()).toEqual(net.ports.map((one) => one.id));
  });

  it('a deleted one goes, and a creation that comes late does not bring it back', async () => {
    const [one, never] = [port(net.id), port(net.id)];
    await created(one);
    await world.until(() => expect(served()).toContain(one.id));
    await world.notify('port_delete_end', { payload: { port_id: one.id, network_id: net.id, priority: 6 } });
    await world.notify('port_delete_end', { payload: { port_id: never.id, priority: 6 } });
    await world.until(() => expect(served()).not.toContain(one.id));
    await world.notify('port_create_end', { payload: { port: one, priority: 5 } });
    await world.notify('port_create_end', { payload: { port: never, priority: 5 } });
    await onePassMore();
    expect(served()).not.toContain(one.id);
    expect(served()).not.toContain(never.id);
  });

  it('a deleted one that waits to be told ready is not told', async () => {
    const answer = Promise.withResolvers<void>();
    world.server.before = ({ method }) => (method === 'dhcp_ready_on_ports' ? answer.promise : undefined);
    const [one, two, three] = [port(net.id), port(net.id), port(net.id)];
    await created(one);
    await world.until(() => expect(world.server.ready()).toEqual([one.id]));
    await created(two);
    await created(three);
    await world.until(() => expect(served()).toContain(three.id));
    await world.notify('port_delete_end', { payload: { port_id: two.id, network_id: net.id, priority: 6 } });
    await world.until(() => expect(served()).not.toContain(two.id));
    answer.resolve();
    await world.until(() => expect(world.server.ready()).toEqual([one.id, three.id]));
  });

  it('hand the driver the ports that changed alone; after a failure it gets the whole network', async () => {
    world.driver.handed.length = 0;
    const one = port(net.id, fixed('10.0.0.50'));
    await created(one);
    await world.until(() => expect(world.driver.handed).toEqual([{ set: [one], removed: [] }]));
    await world.notify('port_delete_end', { payload: { port_id: one.id, network_id: net.id, priority: 6 } });
    await world.until(() => expect(world.driver.handed.slice(1)).toEqual([{ set: [], removed: [one.id] }]));
    world.driver.before = () => {
      world.driver.before = () => undefined;
      throw new Error('disk full');
    };
    const [two, three] = [port(net.id), port(net.id)];
    await created(two);
    await world.until(() => expect(world.driver.handed.slice(2)).toEqual([{ set: [two], removed: [] }, 'whole']));
    expect(served()).toContain(two.id);
    await created(three);
    await world.until(() => expect(world.driver.handed.slice(4)).toEqual([{ set: [three], removed: [] }]));
  });

  it('of the network have it handed over whole', async () => {
    world.driver.handed.length = 0;
    await world.notify('network_update_end', { payload: { network: { id: net.id }, priority: 1 } });
    await world.until(() => expect(world.driver.handed).toEqual(['whole']));
    world.driver.die(net.id);
    await world.until(() => expect(world.driver.handed).toEqual(['whole', 'whole']));
  });

  it('a burst of 1,000 costs a few passes, and every port is told once', async () => {
    const before = world.driver.passes(net.id).length;
    const gate = Promise.withResolvers<void>();
    world.driver.before = () => gate.promise;
    const burst = Array.from({ length: 1_000 }, () => port(net.id));
    world.server.put({ ...net, ports: [...(world.server.networks.get(net.id)?.ports ?? []), ...burst] });
    await Promise.all(burst.map((one) => world.notify('port_create_end', { payload: { port: one, priority: 5 } })));
    await world.settled();
    gate.resolve();
    await world.until(() => expect(world.server.ready()).toHaveLength(1_000));
    expect(new Set(world.server.ready()).size).toBe(1_000);
    expect(world.driver.passes(net.id).length - before).toBeLessThanOrEqual(3);
    expect(world.driver.ports(net.id)).toHaveLength(1_001);
    expect(world.server.called('dhcp_ready_on_ports').length).toBeLessThanOrEqual(20);
  });

  it('of a network that is not known have it asked for, once for many', async () => {
    const bare = network();
    const ports = [port(bare.id), port(bare.id), port(bare.id)];
    const other = world.server.put({ ...bare, ports });
    for (const one of ports) await world.notify('port_create_end', { payload: { port: one, priority: 5 } });
    await world.until(() => expect(world.driver.ports(other.id)).toEqual(ports));
    expect(world.server.called('get_network_info')).toEqual([{ network_id: other.id, host: world.host }]);
  });

  it('with an address that another port has have the network asked for: the older one’s end was missed', async () => {
    const old = port(net.id, fixed('10.0.0.50'));
    await created(old);
    await world.until(() => expect(served()).toContain(old.id));
    world.server.put({
      ...net,
      ports: (world.server.networks.get(net.id)?.ports ?? []).filter((one) => one.id !== old.id),
    });
    const young = port(net.id, fixed('10.0.0.50'));
    await created(young);
    await world.until(() => expect(served()).toContain(young.id));
    expect(served()).not.toContain(old.id);
    expect(world.server.called('get_network_info')).toHaveLength(1);
  });
});

describe("notifications of the agent's own port", () => {
  const own = () => world.server.dhcpPort(net.id) as PortDocument;
  const updated = (one: PortDocument) =>
    world.notify('port_update_end', { payload: { port: world.server.setPort(one), priority: 6 } });

  it('another address goes to its device', async () => {
    const moved = { ...own(), revision_number: 2, ...fixed('10.0.0.99') };
    await updated(moved);
    await world.until(() => expect(world.devices.there.get(net.id)?.addresses).toEqual(['10.0.0.99/24']));
    expect(world.driver.serving.get(net.id)?.info.ports).toContainEqual(moved);
    expect(world.server.called('update_dhcp_port')).toEqual([]);
  });

  it('a port that takes its address has the network asked for, and the device follows', async () => {
    const address = own().fixed_ips[0]?.ip_address as string;
    const moved = { ...own(), revision_number: 2, ...fixed('10.0.0.99') };
    world.server.setPort(moved);
    await created(port(net.id, fixed(address)));
    await world.until(() => expect(world.devices.there.get(net.id)?.addresses).toEqual(['10.0.0.99/24']));
    expect(world.server.called('get_network_info')).toHaveLength(1);
  });

  it('deleted, it is made anew, but not before the server had time to tell that the network goes too', async () => {
    const before = own();
    world.server.put({ ...net, ports: net.ports });
    await world.notify('port_delete_end', { payload: { port_id: before.id, network_id: net.id, priority: 6 } });
    await created(port(net.id));
    await world.settled();
    expect(world.server.called('create_dhcp_port')).toEqual([]);
    await world.until(() => expect(world.driver.ports(net.id)).toHaveLength(2));
    expect(world.driver.serving.get(net.id)?.dhcpPortId).toBe(own().id);
    expect(own().id).not.toBe(before.id);
    expect(world.devices.there.get(net.id)?.device).toBe(tapName(own().id));
  });

  it('deleted while its device is made, it is not served without', async () => {
    const first = own();
    world.server.put({ ...net, ports: net.ports });
    world.devices.before = async () => {
      world.devices.before = () => undefined;
      await world.notify('port_delete_end', { payload: { port_id: first.id, network_id: net.id, priority: 6 } });
      await world.settled();
    };
    world.devices.vanish(net.id);
    await world.until(() => expect(world.driver.serving.get(net.id)?.dhcpPortId).not.toBe(first.id));
    for (const { info, dhcpPortId } of world.driver.applied) {
      expect(info.ports.map((one) => one.id)).toContain(dhcpPortId);
    }
  });

  it('deleted along with the network, it is not made anew', async () => {
    world.server.networks.delete(net.id);
    await world.notify('port_delete_end', {
      payload: { port_id: own()?.id ?? 'gone', network_id: net.id, priority: 6 },
    });
    await world.notify('network_delete_end', { payload: { network_id: net.id, priority: 2 } });
    await world.until(() => expect(world.devices.removed).toEqual([net.id]));
    expect(world.server.called('create_dhcp_port')).toEqual([]);
  });

  it('without its address in a subnet, it is left so until the server has told what becomes of the subnet', async () => {
    await updated({ ...own(), revision_number: 2, fixed_ips: [] });
    await world.settled();
    expect(world.server.called('update_dhcp_port')).toEqual([]);
    world.server.put({ ...(world.server.networks.get(net.id) as NetworkInfo), subnets: [] });
    await world.notify('subnet_delete_end', { payload: { subnet_id: subnetId(), network_id: net.id, priority: 4 } });
    await world.until(() => expect(world.driver.disabled).toEqual([net.id]));
    expect(world.server.called('update_dhcp_port')).toEqual([]);
    // It did not wait for its time to be over.
    expect(world.lines.some((line) => line.msg === 'checking a network again')).toBe(false);
  });

  it('without its address in a subnet that stays, it gets one again', async () => {
    await updated({ ...own(), revision_number: 2, fixed_ips: [] });
    await world.until(() => expect(world.server.called('update_dhcp_port')).toHaveLength(1));
    await world.until(() => expect(world.devices.there.get(net.id)?.addresses).toHaveLength(1));
  });

  it('reserved for another agent, it is not taken back before the server told the rest', async () => {
    await updated({ ...own(), revision_number: 2, device_id: 'reserved_dhcp_port' });
    await world.notify('network_delete_end', { payload: { network_id: net.id, priority: 2 } });
    await world.until(() => expect(world.devices.removed).toEqual([net.id]));
    expect(world.server.called('update_dhcp_port')).toEqual([]);
  });
});

describe("notifications of other agents' ports", () => {
  it('move the IPv6 metadata address, which one agent of a link has', async () => {
    await world.stop();
    await world.startAndSync({ DEFAULT: { force_metadata: true } });
    const hasAddress = (expected: boolean) =>
      world.until(() =>
        expect(world.devices.there.get(net.id)?.addresses.includes('fe80::a9fe:a9fe/128')).toBe(expected),
      );
    await hasAddress(true);
    const dhcp = { device_owner: 'network:dhcp', device_id: 'dhcp-other' };
    const other = port(net.id, { ...dhcp, id: '00000000-0000-4000-8000-000000000000', ...fixed('10.0.0.200') });
    await created(other);
    await hasAddress(false);
    await world.notify('port_delete_end', { payload: { port_id: other.id, network_id: net.id, fixed_ips: [] } });
    await hasAddress(true);
  });
});

describe('notifications of networks and subnets', () => {
  it('a network given to the agent is asked for and served', async () => {
    const bare = network();
    const other = world.server.put({ ...bare, ports: [port(bare.id)] });
    await world.notify('network_create_end', { payload: { network: { id: other.id }, priority: 0 } });
    await world.until(() => expect(world.driver.ports(other.id)).toEqual(other.ports));
  });

  it('several changes that wait for one network are one question', async () => {
    const gate = Promise.withResolvers<void>();
    world.driver.before = () => gate.promise;
    await created(port(net.id));
    await world.until(() => expect(world.driver.passes(net.id)).toHaveLength(2));
    for (let count = 0; count < 20; count += 1) {
      await world.notify('subnet_update_end', {
        payload: { subnet: net.subnets[0] as NetworkInfo['subnets'][0], priority: 3 },
      });
    }
    await world.notify('network_update_end', { payload: { network: { id: net.id }, priority: 1 } });
    gate.resolve();
    await world.until(() => expect(world.driver.passes(net.id)).toHaveLength(3));
    await world.settled();
    expect(world.server.called('get_network_info')).toHaveLength(1);
  });

  it('a new subnet gets an address on the DHCP port, and the device has it', async () => {
    const second = subnet(net.id, { cidr: '10.0.50.0/24', gateway_ip: '10.0.50.1' });
    world.server.put({ ...(world.server.networks.get(net.id) as NetworkInfo), subnets: [...net.subnets, second] });
    await world.notify('subnet_create_end', { payload: { subnet: second, priority: 3 } });
    await world.until(() => expect(world.devices.there.get(net.id)?.addresses).toHaveLength(2));
    expect(world.server.called('update_dhcp_port')).toHaveLength(1);
    expect(world.driver.serving.get(net.id)?.info.subnets).toHaveLength(2);
  });

  it('a deleted subnet is noticed without its network being named', async () => {
    world.server.put({ ...(world.server.networks.get(net.id) as NetworkInfo), subnets: [] });
    await world.notify('subnet_delete_end', { payload: { subnet_id: subnetId(), priority: 4 } });
    await world.until(() => expect(world.driver.disabled).toEqual([net.id]));
  });

  it.each([
    ['set down', { admin_state_up: false }],
    ['without a subnet that wants DHCP', { subnets: [] }],
  ])('a network %s is taken down, its port released, and served again when it is back', async (_what, change) => {
    const whole = world.server.networks.get(net.id) as NetworkInfo;
    world.server.put({ ...whole, ...change });
    await world.notify('network_update_end', { payload: { network: { id: net.id }, priority: 1 } });
    await world.until(() => expect(world.server.called('release_dhcp_port')).toHaveLength(1));
    await world.settled();
    expect(world.driver.disabled).toEqual([net.id]);
    expect(world.devices.removed).toEqual([net.id]);
    await created(port(net.id));
    await world.settled();
    expect(world.driver.disabled).toHaveLength(1);
    await world.notify('network_update_end', { payload: { network: { id: net.id }, priority: 1 } });
    await created(port(net.id));
    await world.settled();
    expect(world.driver.disabled).toHaveLength(1);
    world.server.put({
      ...(world.server.networks.get(net.id) as NetworkInfo),
      admin_state_up: true,
      subnets: whole.subnets,
    });
    await world.notify('network_update_end', { payload: { network: { id: net.id }, priority: 1 } });
    await world.until(() => expect(world.driver.serving.has(net.id)).toBe(true));
    expect(world.driver.serving.get(net.id)?.dhcpPortId).toBe(world.server.dhcpPort(net.id)?.id);
    expect(world.server.called('create_dhcp_port')).toHaveLength(1);
  });

  it('a network taken off the agent is taken down, and late messages do not bring it back; given again it is served', async () => {
    await world.notify('network_delete_end', { payload: { network_id: net.id, priority: 2 } });
    await world.until(() => expect(world.server.called('release_dhcp_port')).toHaveLength(1));
    await world.notify('port_create_end', { payload: { port: world.server.setPort(port(net.id)), priority: 5 } });
    await world.notify('subnet_update_end', {
      payload: { subnet: net.subnets[0] as NetworkInfo['subnets'][0], priority: 3 },
    });
    await world.notify('network_update_end', { payload: { network: { id: net.id }, priority: 1 } });
    await world.settled();
    expect(world.driver.serving.size).toBe(0);
    expect(world.server.called('get_network_info')).toEqual([]);
    await world.notify('network_create_end', { payload: { network: { id: net.id }, priority: 0 } });
    await world.until(() => expect(world.driver.ports(net.id)).toHaveLength(2));
  });

  it('a deleted network that the agent never served is none of its business', async () => {
    await world.notify('network_delete_end', { payload: { network_id: network().id, priority: 2 } });
    await world.settled();
    expect([world.driver.disabled, world.devices.removed, world.server.calls]).toEqual([[], [], []]);
  });

  it('a network that is not there any more when it is asked for is taken down', async () => {
    world.server.networks.delete(net.id);
    await world.notify('network_update_end', { payload: { network: { id: net.id }, priority: 1 } });
    await world.until(() => expect(world.devices.removed).toEqual([net.id]));
    expect(world.driver.serving.size).toBe(0);
  });

  it('what a document says that was under way when something newer came does not undo it', async () => {
    const answer = Promise.withResolvers<void>();
    let asked = false;
    const young = port(net.id);
    world.server.before = async ({ method }) => {
      if (method !== 'get_network_info') return;
      asked = true;
      await answer.promise;
      // The server read this before the port came.
      world.server.put({ ...net });
    };
    await world.notify('network_update_end', { payload: { network: { id: net.id }, priority: 1 } });
    await world.until(() => expect(asked).toBe(true));
    await created(young);
    await world.settled();
    answer.resolve();
    await world.until(() => expect(served()).toContain(young.id));
  });
});
