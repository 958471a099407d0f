/**
 * The documents that servers and agents exchange: networks, subnets and ports as `get_network_info` and the
 * `*_end` notifications carry them (the REST API's attributes by the same names). Only what agents read is typed;
 * more may be there.
 */

export interface FixedIp {
  readonly subnet_id: string;
  readonly ip_address: string;
}

interface DnsAssignment {
  readonly ip_address: string;
  readonly hostname: string;
  /** With the trailing dot. */
  readonly fqdn: string;
}

export interface ExtraDhcpOpt {
  readonly opt_name: string;
  readonly opt_value: string;
  readonly ip_version: 4 | 6;
}

export interface PortDocument {
  readonly id: string;
  readonly network_id: string;
  readonly mac_address: string;
  readonly admin_state_up: boolean;
  readonly status: string;
  readonly device_id: string;
  readonly device_owner: string;
  readonly fixed_ips: readonly FixedIp[];
  readonly dns_name?: string;
  readonly dns_assignment?: readonly DnsAssignment[];
  readonly extra_dhcp_opts?: readonly ExtraDhcpOpt[];
  readonly name?: string;
  readonly tenant_id?: string;
  readonly project_id?: string;
  readonly revision_number?: number;
  readonly 'binding:host_id'?: string;
  readonly security_groups?: readonly string[];
  readonly 'binding:vif_type'?: string;
}

export interface SubnetDocument {
  readonly id: string;
  readonly network_id: string;
  readonly cidr: string;
  readonly ip_version: 4 | 6;
  readonly enable_dhcp: boolean;
  readonly gateway_ip: string | null;
  readonly dns_nameservers: readonly string[];
  readonly host_routes: readonly { readonly destination: string; readonly nexthop: string }[];
  readonly allocation_pools: readonly { readonly start: string; readonly end: string }[];
  readonly ipv6_ra_mode: string | null;
  readonly ipv6_address_mode: string | null;
  readonly segment_id?: string | null;
  readonly name?: string;
  readonly tenant_id?: string;
  readonly revision_number?: number;
}

/** The answer of `get_network_info`, and an element of that of `get_active_networks_info`. */
export interface NetworkInfo {
  readonly id: string;
  readonly name?: string;
  readonly admin_state_up: boolean;
  readonly mtu: number;
  readonly tenant_id: string;
  readonly project_id?: string;
  readonly subnets: readonly SubnetDocument[];
  /** Subnets of other segments of a routed network. */
  readonly non_local_subnets: readonly SubnetDocument[];
  readonly ports: readonly PortDocument[];
  /** Absent: the server has no segments. */
  readonly segments?: readonly { readonly id: string; readonly segmentation_id: number | null }[];
}

/** A network without its ports, of which there are many. */
export type NetworkFacts = Omit<NetworkInfo, 'ports'>;
