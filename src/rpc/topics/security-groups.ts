import type { TopicContract } from '../topic.ts';

/**
 * A rule for an agent; absent attributes match everything. `icmp` and `ipv6-icmp`: `port_range_min` is the type, `port_range_max`
 * the code; in rules that come with the port, `source_port_range_min` is the type.
 */
export interface FilterRule {
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: 'IPv4' | 'IPv6';
  readonly stateful?: boolean;
  readonly protocol?: string;
  readonly port_range_min?: number;
  readonly port_range_max?: number;
  readonly source_port_range_min?: number;
  readonly source_port_range_max?: number;
  readonly source_ip_prefix?: string;
  readonly dest_ip_prefix?: string;
  readonly remote_group_id?: string;
  readonly remote_address_group_id?: string;
}

/** An address or prefix of a member, and the MAC address that goes with it if that is not the port's own. */
type Member = readonly [address: string, mac: string | null];

/** Addresses of the members of a group by version; versions that no rule needs are absent. */
export type MemberAddresses = Readonly<Partial<Record<'IPv4' | 'IPv6', readonly Member[]>>>;

/** A port with what its agent needs to filter it. */
export interface FilteredDevice {
  readonly id: string;
  readonly device: string;
  readonly network_id: string;
  readonly mac_address: string;
  readonly device_owner: string;
  readonly port_security_enabled: boolean;
  readonly fixed_ips: readonly string[];
  readonly allowed_address_pairs: readonly { readonly mac_address: string; readonly ip_address: string }[];
  readonly security_groups: readonly string[];
  /** Rules that come with the port itself: what DHCP and router advertisements need. */
  readonly security_group_rules: readonly FilterRule[];
  /** The groups, and address groups, whose members its rules name. */
  readonly security_group_source_groups: readonly string[];
  readonly security_group_remote_address_groups: readonly string[];
}

/** How the ports of some devices are filtered. Trusted ports (`device_owner` `network:*`) are absent. */
export interface SecurityGroupInfo {
  /** By id of the port. */
  readonly devices: Readonly<Record<string, FilteredDevice>>;
  /** The rules of the ports' groups. */
  readonly security_groups: Readonly<Record<string, readonly FilterRule[]>>;
  /** The members of the groups and address groups that rules name. */
  readonly sg_member_ips: Readonly<Record<string, MemberAddresses>>;
}

interface SecurityGroupUpdateMethods {
  security_groups_rule_updated: { args: { security_groups: readonly string[] }; result: null };
  security_groups_member_updated: { args: { security_groups: readonly string[] }; result: null };
}

/** `q-agent-notifier-security_group-update` (fanout): groups whose rules or members changed; agents request them again. */
export const SECURITY_GROUP_UPDATE_TOPIC: TopicContract<SecurityGroupUpdateMethods> = {
  topic: 'q-agent-notifier-security_group-update',
  version: '1.4',
  methods: { security_groups_rule_updated: '1.1', security_groups_member_updated: '1.1' },
};
