import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dhcpParts } from '../../../src/agents/dhcp/dhcp-parts.ts';
import { tapName } from '../../../src/net/device-names.ts';
import { dhcpDeviceId } from '../../../src/net/dhcp-device-id.ts';
import type { NetworkInfo } from '../../../src/rpc/documents.ts';
import { network, port, subnet } from './documents.ts';
import { World } from './world.ts';

/** A routed network of whose segments the host reaches several. */
function routed(): NetworkInfo {
  const net = network({ subnets: [] });
  const subnets = ['a', 'b'].map((segment_id, at) =>
    subnet(net.id, { segment_id, cidr: `10.${at + 1}.0.0/24`, gateway_ip: `10.${at + 1}.0.1` }),
  );
  const segments = [
    { id: 'a', segmentation_id: 101 },
    { id: 'b', segmentation_id: 102 },
  ];
  return { ...net, subnets, segments };
}
const only = (net: NetworkInfo, segment: string): NetworkInfo => ({
  ...net,
  subnets: net.subnets.filter((one) => one.segment_id === segment),
  non_local_subnets: net.subnets.filter((one) => one.segment_id !== segment),
});

describe('a host that reaches several segments of a routed network', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.close());

  it('has a DHCP port and device on each, and one server for all', async () => {
    const net = world.server.put(routed());
    const base = dhcpDeviceId(world.host, net.id);
    await world.startAndSync();
    const own = [101, 102].map((id) => world.server.dhcpPort(net.id, `${base}-${id}`));
    expect(own.map((one) => one?.fixed_ips.map(({ subnet_id }) => subnet_id))).toEqual(net.subnets.map((s) => [s.id]));
    const devices = own.map((one) => tapName(one?.id ?? ''));
    // One of them leads out; each knows of the other, which must stay.
    expect(world.devices.ensured.map(({ device, gateways }) => [device, gateways.map((one) => one.address)])).toEqual([
      [devices[0], ['10.1.0.1']],
      [devices[1], []],
    ]);
    expect(world.devices.siblings).toEqual([[devices[1]], [devices[0]]]);
    expect(world.driver.passes(net.id)).toHaveLength(1);
    const serving = world.driver.serving.get(net.id);
    expect(serving).toMatchObject({ device: devices[0], dhcpPortIds: own.map((one) => one?.id) });
    expect(serving?.info.subnets).toEqual(net.subnets);
  });

  it('keeps its port when it gains a segment, and releases the one of a segment that it loses', async () => {
    const net = routed();
    world.server.put(only(net, 'a'));
    await world.startAndSync();
    const base = dhcpDeviceId(world.host, net.id);
    const first = world.server.dhcpPort(net.id);
    const become = async (info: NetworkInfo, subnets: number) => {
      world.server.put({ ...info, ports: world.server.networks.get(net.id)?.ports ?? [] });
      await world.notify('network_update_end', { payload: { network: { id: net.id } } });
      await world.until(() => expect(world.driver.serving.get(net.id)?.info.subnets).toHaveLength(subnets));
    };
    await become(net, 2);
    const second = world.server.dhcpPort(net.id, `${base}-102`);
    expect(world.driver.serving.get(net.id)?.dhcpPortIds).toEqual([first?.id, second?.id]);
    await become(only(net, 'a'), 1);
    expect(world.server.called('release_dhcp_port')).toMatchObject([{ device_id: `${base}-102` }]);
    expect(world.driver.serving.get(net.id)?.dhcpPortIds).toEqual([first?.id]);
    // Losing the network releases all that is left.
    await become(net, 2);
    world.server.networks.delete(net.id);
    await world.notify('network_delete_end', { payload: { network_id: net.id } });
    await world.until(() =>
      expect(
        world.server
          .called('release_dhcp_port')
          .slice(1)
          .map(({ device_id }) => device_id),
      ).toEqual([base, `${base}-102`]),
    );
  });
});

describe('parts of a network', () => {
  const names = (net: NetworkInfo) => dhcpParts(net, 'dhcp-x').map(({ deviceId }) => deviceId);

  it('are the whole network on one segment or none', () => {
    const net = routed();
    expect(names(network())).toEqual(['dhcp-x']);
    expect(names(only(net, 'b'))).toEqual(['dhcp-x']);
    expect(
      names({ ...net, subnets: net.subnets.map((one) => ({ ...one, enable_dhcp: one.segment_id === 'a' })) }),
    ).toEqual(['dhcp-x']);
  });

  it('are named after their segmentation, and see the subnets of the others as not local', () => {
    const net = routed();
    expect(names(net)).toEqual(['dhcp-x-101', 'dhcp-x-102']);
    expect(names({ ...net, segments: [{ id: 'a', segmentation_id: null }] })).toEqual(['dhcp-x-a', 'dhcp-x-b']);
    const [a] = dhcpParts(net, 'dhcp-x');
    expect(a?.info.subnets).toEqual([net.subnets[0]]);
    expect(a?.info.non_local_subnets).toEqual([net.subnets[1]]);
  });

  it('keep the port that has addresses there, whatever its name', () => {
    const net = routed();
    const fixed_ips = [{ subnet_id: net.subnets[1]?.id ?? '', ip_address: '10.2.0.2' }];
    const other = port(net.id, { device_id: 'dhcp-xy', fixed_ips });
    const known = port(net.id, { device_id: 'dhcp-x', fixed_ips });
    expect(names({ ...net, ports: [other, known] })).toEqual(['dhcp-x-101', 'dhcp-x']);
    const suffixed = port(net.id, { device_id: 'dhcp-x-102', fixed_ips });
    expect(names({ ...only(net, 'b'), ports: [suffixed] })).toEqual(['dhcp-x-102']);
  });
});
