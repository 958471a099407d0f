import { type Config, defaultConfig } from '../../../../../src/config/options.ts';
import type { NetworkInfo, PortDocument, SubnetDocument } from '../../../../../src/rpc/documents.ts';

/** Small documents for tests: network `n1` with subnet `s1` (10.0.0.0/24, gateway .254); port n has MAC ...:n and 10.0.0.n. */
export function port(n: number): PortDocument {
  return {
    id: `port${n}`,
    network_id: 'n1',
    mac_address: `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}`,
    admin_state_up: true,
    status: 'ACTIVE',
    device_id: '',
    device_owner: 'compute:nova',
    fixed_ips: [{ subnet_id: 's1', ip_address: `10.0.0.${n}` }],
  };
}

export function subnet(id: string, cidr: string): SubnetDocument {
  return {
    id,
    network_id: 'n1',
    cidr,
    ip_version: 4,
    enable_dhcp: true,
    gateway_ip: cidr.replace(/\d+\/\d+$/, '254'),
    dns_nameservers: [],
    host_routes: [],
    allocation_pools: [],
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
  };
}

export function network(ports: readonly PortDocument[]): NetworkInfo {
  return {
    id: 'n1',
    admin_state_up: true,
    mtu: 1450,
    tenant_id: 't',
    subnets: [subnet('s1', '10.0.0.0/24')],
    non_local_subnets: [],
    ports,
  };
}

export function config(options: object = {}): Config {
  const defaults = defaultConfig();
  return { ...defaults, DEFAULT: { ...defaults.DEFAULT, dhcp_confs: '/state/dhcp', ...options } };
}
