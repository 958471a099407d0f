import { describe, expect, it } from 'vitest';
import { planDhcpPort, wantsDhcp } from '../../../src/agents/dhcp/dhcp-port.ts';
import { dhcpDeviceId } from '../../../src/net/dhcp-device-id.ts';
import type { NetworkInfo } from '../../../src/rpc/documents.ts';
import { captured } from './captured.ts';
import { network, port, subnet } from './documents.ts';

const info = captured('get_network_info').result as NetworkInfo;
const deviceId = dhcpDeviceId('vm', info.id);
const own = info.ports.find((one) => one.device_id === deviceId);

describe("the agent's own port on a network", () => {
  it('is found by its device_id, and right with an address in each subnet that wants DHCP', () => {
    expect(planDhcpPort(info, deviceId)).toEqual({ kind: 'right', port: own });
  });

  it("is asked for as stock Neutron's agent does", () => {
    const { port: wanted } = captured('create_dhcp_port').args.port as { port: Record<string, unknown> };
    expect(planDhcpPort({ ...info, ports: [] }, deviceId)).toEqual({ kind: 'create', body: wanted });
  });

  it("is corrected for a new subnet as stock Neutron's agent does, keeping its other addresses", () => {
    const { port: wanted } = captured('update_dhcp_port').args.port as { port: Record<string, unknown> };
    const before = { ...info, ports: [{ ...own, fixed_ips: own?.fixed_ips.slice(0, 1) } as NetworkInfo['ports'][0]] };
    expect(planDhcpPort(before, deviceId)).toEqual({ kind: 'update', portId: own?.id, body: wanted });
  });

  it('loses its address in a subnet that wants DHCP no more', () => {
    const [v6, v4] = info.subnets as [NetworkInfo['subnets'][0], NetworkInfo['subnets'][0]];
    const step = planDhcpPort({ ...info, subnets: [{ ...v6, enable_dhcp: false }, v4] }, deviceId);
    expect(step).toMatchObject({
      kind: 'update',
      body: { fixed_ips: [{ subnet_id: v4.id, ip_address: '10.72.0.2' }] },
    });
  });

  it('has an address in every kind of IPv6 subnet with DHCP, hosts forming their own or not', () => {
    const net = network();
    const subnets = (['slaac', 'dhcpv6-stateless', 'dhcpv6-stateful'] as const).map((mode) =>
      subnet(net.id, { ip_version: 6, cidr: 'fd00::/64', ipv6_ra_mode: mode, ipv6_address_mode: mode }),
    );
    expect(planDhcpPort({ ...net, subnets }, 'd')).toMatchObject({
      kind: 'create',
      body: { fixed_ips: subnets.map((one) => ({ subnet_id: one.id })) },
    });
  });

  it('is taken over from one that the server reserved, but not from one that others were faster to take', () => {
    const net = network();
    const reserved = port(net.id, { device_id: 'reserved_dhcp_port', device_owner: 'network:dhcp' });
    const with_ = { ...net, ports: [port(net.id), reserved] };
    expect(planDhcpPort(with_, 'd')).toEqual({
      kind: 'adopt',
      portId: reserved.id,
      body: { network_id: net.id, device_id: 'd' },
    });
    expect(planDhcpPort(with_, 'd', new Set([reserved.id]))).toMatchObject({ kind: 'create' });
  });

  it('is not taken over from one of another segment, whose addresses are of no use here', () => {
    const net = network();
    const elsewhere = subnet(net.id, { segment_id: 's2', cidr: '10.9.0.0/24' });
    const fixed_ips = [{ subnet_id: elsewhere.id, ip_address: '10.9.0.2' }];
    const reserved = port(net.id, { device_id: 'reserved_dhcp_port', device_owner: 'network:dhcp', fixed_ips });
    const known = { ...net, non_local_subnets: [elsewhere], ports: [reserved] };
    expect(planDhcpPort(known, 'd')).toMatchObject({ kind: 'create' });
  });

  it('is charged to the project of the network, under either name', () => {
    expect(planDhcpPort(network({ tenant_id: 't' }), 'd')).toMatchObject({ body: { project_id: 't' } });
    expect(planDhcpPort(network({ tenant_id: 't', project_id: 'p' }), 'd')).toMatchObject({
      body: { project_id: 'p' },
    });
  });
});

describe('a network to be served', () => {
  it('is up and has a subnet with DHCP', () => {
    const net = network();
    expect(wantsDhcp(net)).toBe(true);
    expect(wantsDhcp({ ...net, admin_state_up: false })).toBe(false);
    expect(wantsDhcp({ ...net, subnets: [] })).toBe(false);
    expect(wantsDhcp({ ...net, subnets: [subnet(net.id, { enable_dhcp: false })] })).toBe(false);
  });
});
