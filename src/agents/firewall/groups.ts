import type { FilterRule } from '../../rpc/topics/security-groups.ts';

/** A port of this host. */
export interface FilteredPort {
  readonly device: string;
  /** Bridge of its network. */
  readonly bridge: string;
  readonly mac_address: string;
  readonly fixed_ips: readonly string[];
  readonly allowed_address_pairs: readonly { readonly mac_address: string; readonly ip_address: string }[];
  /** Ids of its groups; undefined: it is not filtered, because it is trusted or has no port security. */
  readonly security_groups: readonly string[] | undefined;
  /** Whether replies pass without a rule, as its groups say; default: true. */
  readonly stateful?: boolean;
}

export interface SecurityGroup {
  readonly id: string;
  readonly rules: readonly FilterRule[];
}

/** A group or address group that rules name as the remote side, with the addresses and prefixes of its members on all hosts. */
export interface RemoteGroup {
  readonly id: string;
  readonly members: readonly string[];
}

/** What a firewall is told; what it does not name is unchanged. */
export interface FilterChange {
  readonly ports?: readonly FilteredPort[];
  readonly groups?: readonly SecurityGroup[];
  readonly remotes?: readonly RemoteGroup[];
}
