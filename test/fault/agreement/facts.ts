import type { Selectable } from 'kysely';
import type { Schema } from '../../../src/db/schema.ts';
import type { PortDocument, SubnetDocument } from '../../../src/rpc/documents.ts';

/** What is compared: the same cloud as three witnesses tell it, at a moment at which nobody changes it. */
export interface Facts {
  readonly api: ApiFacts;
  readonly database: DatabaseFacts;
  /** The hosts that run agents. */
  readonly hosts: readonly HostFacts[];
  /** DHCP agents that each network shall have (dhcp_agents_per_network), as long as there are as many. */
  readonly agentsPerNetwork: number;
}

interface ApiNetwork {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly admin_state_up: boolean;
  readonly status: string;
  readonly mtu: number;
  readonly subnets: readonly string[];
  readonly revision_number: number;
}

export interface ApiSubnet extends SubnetDocument {
  readonly name: string;
  readonly description: string;
  readonly revision_number: number;
}

export interface ApiPort extends PortDocument {
  readonly name: string;
  readonly description: string;
  readonly revision_number: number;
}

/** All networks, subnets and ports as their lists show them. */
export interface ApiFacts {
  readonly networks: readonly ApiNetwork[];
  readonly subnets: readonly ApiSubnet[];
  readonly ports: readonly ApiPort[];
}

/** The tables that are compared, whole. */
export const TABLES = [
  'standardattributes',
  'networks',
  'networksegments',
  'networksecuritybindings',
  'subnets',
  'ipallocationpools',
  'ports',
  'ipallocations',
  'ml2_port_bindings',
  'portsecuritybindings',
  'provisioningblocks',
  'extradhcpopts',
  'securitygroups',
  'agents',
  'networkdhcpagentbindings',
  'ml2_vxlan_allocations',
  'outbox',
] as const satisfies readonly (keyof Schema)[];

export type DatabaseFacts = { readonly [T in (typeof TABLES)[number]]: readonly Selectable<Schema[T]>[] };

/** A process on a host. */
export interface HostProcessFacts {
  readonly pid: number;
  /** Inode of the network namespace that it is in. */
  readonly network: number;
  readonly command: string;
}

/** What is on a host that runs agents. */
export interface HostFacts {
  /** As its agents report it. */
  readonly host: string;
  /** Texts of the files `<network>/<name>` below `$state_path/dhcp`. */
  readonly files: ReadonlyMap<string, string>;
  /** Namespaces by name, with their inode. */
  readonly namespaces: ReadonlyMap<string, number>;
  /** Devices outside of namespaces. */
  readonly devices: readonly string[];
  readonly processes: readonly HostProcessFacts[];
  /** Ports of the machines that run on this host. */
  readonly machines: readonly Pick<PortDocument, 'id' | 'network_id'>[];
}
