import type { Selectable } from 'kysely';
import type { Schema } from '../../../src/db/schema.ts';
import type { PortDocument, SubnetDocument } from '../../../src/rpc/documents.ts';

/** The compared facts: the state of a quiescent cloud according to three sources. */
export interface Facts {
  readonly api: ApiFacts;
  readonly database: DatabaseFacts;
  /** Hosts with agents. */
  readonly hosts: readonly HostFacts[];
  /** Number of DHCP agents per network (dhcp_agents_per_network), if that many exist. */
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

/** All networks, subnets and ports, as listed. */
export interface ApiFacts {
  readonly networks: readonly ApiNetwork[];
  readonly subnets: readonly ApiSubnet[];
  readonly ports: readonly ApiPort[];
}

/** All rows of the compared tables. */
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
  'securitygrouprules',
  'securitygroupdefaultrules',
  'agents',
  'networkdhcpagentbindings',
  'ml2_vxlan_allocations',
  'outbox',
] as const satisfies readonly (keyof Schema)[];

export type DatabaseFacts = { readonly [T in (typeof TABLES)[number]]: readonly Selectable<Schema[T]>[] };

/** A process on a host. */
export interface HostProcessFacts {
  readonly pid: number;
  /** Inode of its network namespace. */
  readonly network: number;
  readonly command: string;
}

/** The state of a host with agents. */
export interface HostFacts {
  /** Host name in the reports of its agents. */
  readonly host: string;
  /** Contents of the files `<network>/<name>` below `$state_path/dhcp`. */
  readonly files: ReadonlyMap<string, string>;
  /** Namespaces by name, with their inode. */
  readonly namespaces: ReadonlyMap<string, number>;
  /** Devices outside of namespaces. */
  readonly devices: readonly string[];
  readonly processes: readonly HostProcessFacts[];
  /** Ports of the machines on this host. */
  readonly machines: readonly Pick<PortDocument, 'id' | 'network_id'>[];
}
