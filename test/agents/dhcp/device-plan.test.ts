import { describe, expect, it } from 'vitest';
import {
  type ActualDevice,
  type DeviceSpec,
  deviceSpec,
  planDevice,
  planNewDevice,
} from '../../../src/agents/dhcp/device-plan.ts';
import { network, port, subnet } from './documents.ts';

const spec: DeviceSpec = {
  networkId: 'n1',
  namespace: 'qdhcp-n1',
  device: 'tap11111111-11',
  mac: 'fa:16:3e:00:00:01',
  mtu: 1450,
  addresses: ['10.0.0.2/24', 'fd00::2/64'],
  gateways: [
    { address: '10.0.0.1', outside: false },
    { address: '10.0.50.1', outside: false },
    { address: 'fd00::1', outside: false },
  ],
};
const inner = {
  name: spec.device,
  index: 2,
  mac: spec.mac,
  mtu: 1450,
  up: true,
  kind: 'veth',
  peerIndex: 9,
  peerElsewhere: true,
};
const lo = { name: 'lo', index: 1, mac: '', mtu: 65536, up: true, peerElsewhere: false };
const outer = { ...inner, index: 9, peerIndex: 2, mac: 'aa:aa:aa:aa:aa:aa', alias: 'mine' };
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
const right: ActualDevice = {
  outer,
  inner: [lo, inner],
  addresses: new Map([
    [spec.device, [address('10.0.0.2', 24), address('fd00::2', 64), address('fe80::1', 64, 'link')]],
  ]),
  routes: [route('10.0.0.1'), route('fd00::1')],
};
const nothing = { host: [], inside: [], fresh: false };
const words = (steps: readonly (readonly string[])[]) => steps.map((step) => step.join(' '));

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

describe('the steps towards it', () => {
  it('are none when it is right', () => {
    expect(planDevice(spec, 'mine', right)).toEqual(nothing);
  });

  it('make it whole when it is not there', () => {
    const plan = planNewDevice(spec, 'mine', { makeNamespace: true });
    expect(words(plan.host)).toEqual([
      'netns add qdhcp-n1',
      'link add tap11111111-11 mtu 1450 type veth peer name tap11111111-11 mtu 1450 address fa:16:3e:00:00:01 netns qdhcp-n1',
      'link set dev tap11111111-11 alias mine up',
    ]);
    expect(words(plan.inside)).toEqual([
      'link set dev lo up',
      'link set dev tap11111111-11 up',
      'addr add 10.0.0.2/24 brd + dev tap11111111-11',
      'addr add fd00::2/64 dev tap11111111-11 nodad',
      'route replace default via 10.0.0.1 dev tap11111111-11',
      'route replace default via fd00::1 dev tap11111111-11',
    ]);
  });

  it('correct MTU, mark and what is down', () => {
    const plan = planDevice(spec, 'mine', {
      ...right,
      outer: { ...outer, mtu: 1500, up: false, alias: 'theirs' },
      inner: [
        { ...lo, up: false },
        { ...inner, mtu: 1500, up: false },
      ],
    });
    expect(words(plan.host)).toEqual([
      'link set dev tap11111111-11 mtu 1450',
      'link set dev tap11111111-11 alias mine',
      'link set dev tap11111111-11 up',
    ]);
    expect(words(plan.inside)).toEqual([
      'link set dev tap11111111-11 mtu 1450',
      'link set dev tap11111111-11 up',
      'link set dev lo up',
      // Whatever was down has lost its routes.
      'route replace default via 10.0.0.1 dev tap11111111-11',
      'route replace default via fd00::1 dev tap11111111-11',
    ]);
  });

  it('change addresses, and set the routes that hung on them again', () => {
    const plan = planDevice(spec, 'mine', {
      ...right,
      addresses: new Map([[spec.device, [address('10.0.0.3', 24), address('fd00::2', 64)]]]),
    });
    expect(words(plan.inside)).toEqual([
      'addr del 10.0.0.3/24 dev tap11111111-11',
      'addr add 10.0.0.2/24 brd + dev tap11111111-11',
      'route replace default via 10.0.0.1 dev tap11111111-11',
      'route replace default via fd00::1 dev tap11111111-11',
    ]);
  });

  it('remove the devices of earlier DHCP ports, but nothing that others may have put there', () => {
    const stranger = (name: string) => ({ ...inner, name, index: 5, peerIndex: 7 });
    const plan = planDevice(spec, 'mine', {
      ...right,
      inner: [lo, inner, stranger('tap22222222-22'), stranger('ns-11111111-11'), stranger('tun0')],
    });
    expect(words(plan.inside)).toEqual(['link delete dev tap22222222-22', 'link delete dev ns-11111111-11']);
  });

  it('leave a gateway that is one of several right ones, and replace a wrong one', () => {
    const routes = (gateway: string) => ({ ...right, routes: [route(gateway), route('fd00::1')] });
    expect(planDevice(spec, 'mine', routes('10.0.50.1'))).toEqual(nothing);
    expect(words(planDevice(spec, 'mine', routes('10.0.0.254')).inside)).toEqual([
      'route del default via 10.0.0.254 dev tap11111111-11',
      'route replace default via 10.0.0.1 dev tap11111111-11',
    ]);
  });

  it('take away the way out when no subnet has a gateway any more', () => {
    expect(words(planDevice({ ...spec, gateways: [] }, 'mine', right).inside)).toEqual([
      'route del default via 10.0.0.1 dev tap11111111-11',
      'route del ::/0 via fd00::1 dev tap11111111-11',
    ]);
  });

  it('lead to a gateway outside its subnet straight on the wire, and forget the way to an earlier one', () => {
    const gateways = [{ address: '192.0.2.1', outside: true }];
    const onLink = {
      family: 4 as const,
      destination: '192.0.2.99',
      device: spec.device,
      scope: 'link',
      protocol: 'boot',
    };
    const plan = planDevice({ ...spec, gateways }, 'mine', {
      ...right,
      routes: [route('192.0.2.99'), onLink],
    });
    expect(words(plan.inside)).toEqual([
      'route del 192.0.2.99 dev tap11111111-11',
      'route del default via 192.0.2.99 dev tap11111111-11',
      'route replace 192.0.2.1 dev tap11111111-11 scope link',
      'route replace default via 192.0.2.1 dev tap11111111-11',
    ]);
  });

  it('make it anew when its ends do not belong together, or its MAC is another', () => {
    const anew = (actual: Partial<ActualDevice>) => {
      const plan = planDevice(spec, 'mine', { ...right, ...actual });
      return [plan.fresh, words(plan.host), words(plan.inside)];
    };
    const remove = 'link delete dev tap11111111-11';
    expect(anew({ outer: undefined })).toEqual([true, [], [remove]]);
    expect(anew({ inner: [lo] })).toEqual([true, [remove], []]);
    expect(anew({ outer: { ...outer, index: 8 } })).toEqual([true, [remove], [remove]]);
    expect(anew({ inner: [lo, { ...inner, mac: 'fa:16:3e:ff:ff:ff' }] })).toEqual([true, [remove], []]);
  });
});
