import { randomUUID } from 'node:crypto';
import type { NetworkInfo, PortDocument, SubnetDocument } from '../../../src/rpc/documents.ts';

export function subnet(networkId: string, more: Partial<SubnetDocument> = {}): SubnetDocument {
  return {
    id: randomUUID(),
    network_id: networkId,
    cidr: '10.0.0.0/24',
    ip_version: 4,
    enable_dhcp: true,
    gateway_ip: '10.0.0.1',
    dns_nameservers: [],
    host_routes: [],
    allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
    ...more,
  };
}

let macs = 0;

export function port(networkId: string, more: Partial<PortDocument> = {}): PortDocument {
  macs += 1;
  return {
    id: randomUUID(),
    network_id: networkId,
    mac_address: `fa:16:3e:00:${(macs >> 8).toString(16).padStart(2, '0')}:${(macs & 255).toString(16).padStart(2, '0')}`,
    admin_state_up: true,
    status: 'DOWN',
    device_id: 'vm',
    device_owner: 'compute:nova',
    fixed_ips: [],
    revision_number: 1,
    ...more,
  };
}

export function network(more: Partial<NetworkInfo> = {}): NetworkInfo {
  const id = more.id ?? randomUUID();
  return {
    id,
    admin_state_up: true,
    mtu: 1450,
    tenant_id: 'a-project',
    subnets: [subnet(id)],
    non_local_subnets: [],
    ports: [],
    ...more,
  };
}
