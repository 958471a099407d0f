import { describe, expect, test } from 'vitest';
import { markedNetwork, markOf } from '../../../../../src/agents/l2/drivers/linuxbridge/marks.ts';
import { networkOfDevice } from '../../../../../src/agents/l2/drivers/linuxbridge/remove.ts';
import {
  addUplinkCommands,
  type HostSegments,
  hostSegments,
  uplinkOf,
} from '../../../../../src/agents/l2/drivers/linuxbridge/segment.ts';
import type { Config } from '../../../../../src/config/options.ts';
import { vlanName } from '../../../../../src/net/device-names.ts';

const NETWORK = '714aebe9-f5a0-4676-ab15-db78a80b2d1a';

describe('how a host reaches others', () => {
  const read = (mappings: readonly string[], vxlan: Partial<Config['vxlan']> = {}): HostSegments =>
    hostSegments({
      linux_bridge: { physical_interface_mappings: mappings },
      vxlan: { enable_vxlan: true, local_ip: '', vxlan_group: '224.0.0.1', ...vxlan },
    });

  test('is read from the options', () => {
    expect(read(['physnet1:eth1', 'physnet2:bond0'])).toEqual({
      physical: new Map([
        ['physnet1', 'eth1'],
        ['physnet2', 'bond0'],
      ]),
      vxlanEnabled: true,
    });
    expect(read([], { local_ip: '10.1.1.1' }).vxlan).toEqual({ localIp: '10.1.1.1', group: '224.0.0.1' });
    expect(read([], { local_ip: '10.1.1.1', enable_vxlan: false }).vxlan).toBeUndefined();
  });

  test.each([
    [['physnet1'], /"physnet1": want physnet:interface/],
    [['a:b:c'], /"a:b:c"/],
    [['a:eth0', 'a:eth1'], /"a:eth1".* once/],
    [['a:eth0 up'], /device name "eth0 up"/],
  ])('refuses %j', (mappings, message) => {
    expect(() => read(mappings)).toThrow(message);
  });
});

describe('the uplink of a network', () => {
  const host: HostSegments = { physical: new Map([['physnet1', 'eth1']]), vxlanEnabled: true };
  const joined: HostSegments = { ...host, vxlan: { localIp: '10.1.1.1', group: '224.0.0.1' } };
  const of = (network_type: string, segmentation_id: number | null, physical_network: string | null, on = host) =>
    uplinkOf({ device: 'tap', network_type, segmentation_id, physical_network }, on);

  test('is none for local networks, and for VXLAN on a single host', () => {
    expect(of('local', null, null)).toBeUndefined();
    expect(of('vxlan', 5, null)).toBeUndefined();
  });

  test('is the physical device for flat ones', () => {
    expect(of('flat', null, 'physnet1')).toEqual({ kind: 'flat', device: 'eth1' });
  });

  test('is a VLAN device on the physical one for vlan', () => {
    const uplink = of('vlan', 100, 'physnet1');
    expect(uplink).toEqual({ kind: 'vlan', device: 'eth1.100', parent: 'eth1', vid: 100 });
    expect(uplink && addUplinkCommands(uplink, 'mark')[0]?.join(' ')).toBe(
      'link add link eth1 name eth1.100 type vlan id 100',
    );
  });

  test('is a VXLAN device where local_ip is set', () => {
    const uplink = of('vxlan', 4379, null, joined);
    expect(uplink).toMatchObject({ kind: 'vxlan', device: 'vxlan-4379', vni: 4379 });
    expect(uplink && addUplinkCommands(uplink, 'mark', 'eth0').map((words) => words.join(' '))).toEqual([
      'link add name vxlan-4379 type vxlan id 4379 local 10.1.1.1 group 224.0.0.1 dstport 8472 dev eth0',
      `link set dev vxlan-4379 alias mark`,
    ]);
  });

  test.each([
    ['flat', null, 'elsewhere', /"elsewhere" is not in .*\(there: physnet1\)/],
    ['vlan', 100, null, /physical network null/],
    ['vlan', 4095, 'physnet1', /segmentation id 4095 of a vlan network: want 1 to 4094/],
    ['vxlan', 16_777_216, null, /16777216 of a vxlan network/],
    ['vxlan', null, null, /segmentation id null/],
    ['gre', 1, null, /network type "gre"/],
  ])('of a %s network with id %s on %s is refused', (type, id, physnet, message) => {
    expect(() => of(type, id, physnet)).toThrow(message);
  });

  test('of a vxlan network is refused where VXLAN is off', () => {
    expect(() => of('vxlan', 5, null, { ...host, vxlanEnabled: false })).toThrow(/enable_vxlan is false/);
  });
});

describe('names', () => {
  test('of VLAN devices fit into 15 characters and stay apart', () => {
    expect(vlanName('eth1', 100)).toBe('eth1.100');
    const [one, two] = [vlanName('enp175s0f0np0', 4094), vlanName('enp175s0f0np1', 4094)];
    expect(one).toMatch(/^enp1[0-9a-f]{6}\.4094$/);
    expect(one).not.toBe(two);
  });

  test('with the mark are ours, without are not', () => {
    expect(markedNetwork(markOf(NETWORK, 'a1b2c3d4'))).toBe(NETWORK);
    expect(markedNetwork('somebody')).toBeUndefined();
    expect(markedNetwork(undefined)).toBeUndefined();
    const mark = markOf(NETWORK, 'a1b2c3d4');
    expect(networkOfDevice({ kind: 'bridge', name: 'brq714aebe9-f5', alias: mark })).toBe(NETWORK);
    expect(networkOfDevice({ kind: 'vxlan', name: 'vxlan-4379', alias: mark })).toBe(NETWORK);
    expect(networkOfDevice({ kind: 'vlan', name: 'eth1.100', alias: mark })).toBe(NETWORK);
    expect(networkOfDevice({ kind: 'bridge', name: 'brq714aebe9-f5' })).toBeUndefined();
    expect(networkOfDevice({ kind: 'bridge', name: 'br0', alias: mark })).toBeUndefined();
    expect(networkOfDevice({ kind: 'veth', name: 'tap714aebe9-f5', alias: mark })).toBeUndefined();
  });
});
