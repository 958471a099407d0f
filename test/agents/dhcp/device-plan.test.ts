import { describe, expect, it } from 'vitest';
import { type DeviceSpec, deviceSpec, planInside } from '../../../src/agents/dhcp/device-plan.ts';
import type { NamespaceState } from '../../../src/agents/interface/device.ts';
import type { PortDocument } from '../../../src/rpc/documents.ts';
import { network, port, subnet } from './documents.ts';

const spec: DeviceSpec = {
  networkId: 'n1',
  namespace: 'qdhcp-n1',
  device: 'tap11111111-11',
  portId: '11111111-1111-4111-8111-111111111111',
  mac: 'fa:16:3e:00:00:01',
  mtu: 1450,
  addresses: ['10.0.0.2/24', 'fd00::2/64'],
  gateways: [
    { address: '10.0.0.1', outside: false },
    { address: '10.0.50.1', outside: false },
    { address: 'fd00::1', outside: false },
  ],
};
const address = (text: string, prefixLength: number, scope = 'global') => ({
  family: text.includes(':') ? (6 as const) : (4 as const),
  address: text,
  prefixLength,
  scope,
  dynamic: false,
});
const route = (gateway: string, protocol = 'boot') => ({
  family: gateway.includes(':') ? (6 as const) : (4 as const),
  destination: 'default',
  gateway,
  device: spec.device,
  scope: 'global',
  protocol,
});
const right: NamespaceState = {
  up: true,
  addresses: [address('10.0.0.2', 24), address('fd00::2', 64), address('fe80::1', 64, 'link')],
  routes: [route('10.0.0.1'), route('fd00::1')],
};
const inside = (wanted: DeviceSpec, there: NamespaceState) =>
  planInside(wanted, there).steps.map((step) => step.join(' '));

describe('the device that a DHCP port wants', () => {
  it("carries the port's MAC, the network's MTU and the port's addresses with the subnets' prefix lengths", () => {
    const id = 'c0ffee00-0000-4000-8000-000000000000';
    const subnets = [
      subnet(id, { id: 's1', cidr: '10.0.0.0/20' }),
      subnet(id, { id: 's2', ip_version: 6, cidr: 'fd00::/64', gateway_ip: null, ipv6_address_mode: 'slaac' }),
    ];
    const dhcp = port(id, {
      id: '12345678-9abc-4000-8000-000000000000',
      mac_address: 'FA:16:3E:00:00:09',
      fixed_ips: [
        { subnet_id: 's1', ip_address: '10.0.0.2' },
        { subnet_id: 's2', ip_address: 'fd00:0:0::A' },
        { subnet_id: 'gone', ip_address: '192.0.2.1' },
      ],
    });
    expect(deviceSpec(network({ id, subnets, mtu: 1400 }), dhcp, { metadata: false })).toEqual({
      networkId: id,
      namespace: `qdhcp-${id}`,
      device: 'tap12345678-9a',
      portId: '12345678-9abc-4000-8000-000000000000',
      mac: 'fa:16:3e:00:00:09',
      mtu: 1400,
      addresses: ['10.0.0.2/20', 'fd00::a/64'],
      gateways: [{ address: '10.0.0.1', outside: false }],
    });
  });

  it('carries the metadata addresses only where they are wanted', () => {
    const net = network();
    expect(deviceSpec(net, port(net.id), { metadata: true }).addresses).toEqual([
      '169.254.169.254/32',
      'fe80::a9fe:a9fe/128',
    ]);
    expect(deviceSpec(net, port(net.id), { metadata: false }).addresses).toEqual([]);
  });

  it.each<[string, boolean, (id: string) => Partial<PortDocument>]>([
    ['a higher id', true, () => ({ id: 'f' })],
    ['a lower id', false, () => ({})],
    ["a lower id, of a machine's port", true, () => ({ device_owner: 'compute:nova' })],
    ['a lower id, of an agent that is gone', true, () => ({ device_id: 'reserved_dhcp_port' })],
    ['a lower id, switched off', true, () => ({ admin_state_up: false })],
    ['a lower id, on another segment', true, () => ({ fixed_ips: [{ subnet_id: 'other', ip_address: '10.1.0.2' }] })],
  ])('beside a DHCP port with %s, has the IPv6 metadata address: %s', (_, expected, values) => {
    const id = 'n';
    const fixed_ips = [{ subnet_id: 's', ip_address: '10.0.0.2' }];
    const dhcp = { device_owner: 'network:dhcp', device_id: 'dhcp-1', fixed_ips };
    const own = port(id, { ...dhcp, id: 'b' });
    const other = port(id, { ...dhcp, id: 'a', device_id: 'dhcp-2', ...values(id) });
    const net = network({ id, subnets: [subnet(id, { id: 's' })], ports: [own, other] });
    const { addresses } = deviceSpec(net, own, { metadata: true });
    expect(addresses).toContain('169.254.169.254/32');
    expect(addresses.includes('fe80::a9fe:a9fe/128')).toBe(expected);
  });

  it('leads out through gateways of subnets with DHCP, told apart by lying inside or outside', () => {
    const id = 'n';
    const v6 = { ip_version: 6 as const, cidr: 'fd00::/64' };
    const subnets = [
      subnet(id, { gateway_ip: '192.0.2.1' }),
      subnet(id, { gateway_ip: '10.9.9.1', enable_dhcp: false }),
      subnet(id, { gateway_ip: null }),
      subnet(id, { ...v6, gateway_ip: 'fe80::1' }),
      subnet(id, { ...v6, gateway_ip: 'fd00:1::1' }),
      subnet(id, { ...v6, cidr: 'fd00::/127', gateway_ip: 'fd00::9' }),
      subnet(id, { ...v6, cidr: 'fd00::/80', gateway_ip: 'fd00::8', ipv6_ra_mode: 'slaac' }),
      subnet(id, { ...v6, cidr: 'fd00::/80', gateway_ip: 'fd00::7', ipv6_ra_mode: 'dhcpv6-stateful' }),
    ];
    expect(deviceSpec(network({ id, subnets }), port(id), { metadata: false }).gateways).toEqual([
      { address: '192.0.2.1', outside: true },
      { address: 'fe80::1', outside: false },
      { address: 'fd00:1::1', outside: true },
      { address: 'fd00::7', outside: false },
    ]);
  });
});

describe('what is changed inside its namespace', () => {
  it('is nothing when it is right', () => {
    expect(inside(spec, right)).toEqual([]);
  });

  it('is not the way out over the device of another segment', () => {
    const second = { ...spec, device: 'tap22222222-22', gateways: [] };
    expect(inside(second, right)).toEqual([]);
  });

  it('is everything for a new device', () => {
    expect(inside(spec, { up: false, addresses: [], routes: [] })).toEqual([
      'addr add 10.0.0.2/24 brd + dev tap11111111-11',
      'addr add fd00::2/64 dev tap11111111-11 nodad',
      'route replace default via 10.0.0.1 dev tap11111111-11',
      'route replace default via fd00::1 dev tap11111111-11',
    ]);
  });

  it('is the routes again when the device was down, because it has lost them', () => {
    expect(inside(spec, { ...right, up: false })).toEqual([
      'route replace default via 10.0.0.1 dev tap11111111-11',
      'route replace default via fd00::1 dev tap11111111-11',
    ]);
  });

  it('is the addresses that differ, and the routes that hung on them again', () => {
    expect(inside(spec, { ...right, addresses: [address('10.0.0.3', 24), address('fd00::2', 64)] })).toEqual([
      'addr del 10.0.0.3/24 dev tap11111111-11',
      'addr add 10.0.0.2/24 brd + dev tap11111111-11',
      'route replace default via 10.0.0.1 dev tap11111111-11',
      'route replace default via fd00::1 dev tap11111111-11',
    ]);
  });

  it('is a wrong gateway, but not one of several right ones', () => {
    const routes = (gateway: string) => ({ ...right, routes: [route(gateway), route('fd00::1')] });
    expect(inside(spec, routes('10.0.50.1'))).toEqual([]);
    expect(inside(spec, routes('10.0.0.254'))).toEqual([
      'route del default via 10.0.0.254 dev tap11111111-11',
      'route replace default via 10.0.0.1 dev tap11111111-11',
    ]);
  });

  it('is the way out when no subnet has a gateway any more', () => {
    expect(inside({ ...spec, gateways: [] }, right)).toEqual([
      'route del default via 10.0.0.1 dev tap11111111-11',
      'route del ::/0 via fd00::1 dev tap11111111-11',
    ]);
  });

  it('is a route straight on the wire to a gateway outside its subnet, and not that to an earlier one', () => {
    const gateways = [{ address: '192.0.2.1', outside: true }];
    const onLink = {
      family: 4 as const,
      destination: '192.0.2.99',
      device: spec.device,
      scope: 'link',
      protocol: 'boot',
    };
    expect(inside({ ...spec, gateways }, { ...right, routes: [route('192.0.2.99'), onLink] })).toEqual([
      'route del 192.0.2.99 dev tap11111111-11',
      'route del default via 192.0.2.99 dev tap11111111-11',
      'route replace 192.0.2.1 dev tap11111111-11 scope link',
      'route replace default via 192.0.2.1 dev tap11111111-11',
    ]);
  });
});
