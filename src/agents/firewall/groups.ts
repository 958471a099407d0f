import type { DeviceDetails } from '../../rpc/topics/plugin.ts';

/** A port of this host: its device, MAC, addresses, allowed pairs, port security, owner and the ids of its groups. */
export type FilteredPort = DeviceDetails & { readonly security_groups: readonly string[] };

export interface SecurityGroup {
  readonly id: string;
  readonly stateful: boolean;
  readonly rules: readonly SecurityGroupRule[];
  /** Addresses of all its ports, on every host, for rules that name it as the remote group. */
  readonly members: readonly string[];
}

/** A rule, with the attributes of Neutron's API; null stands for any. */
interface SecurityGroupRule {
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: 'IPv4' | 'IPv6';
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly remote_group_id: string | null;
}
