import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { DHCP_AGENTS, HOSTING_KINDS } from '../../scheduler/agent-kinds.ts';
import type { HostingKind } from '../../scheduler/hosting-kind.ts';
import type { Core } from '../core.ts';
import { releaseUnserved } from '../provisioning.ts';
import { reserveDhcpPort } from './reserved-port.ts';

/** A kind of agent with the rules of what it hosts. */
export interface Hosting {
  readonly kind: HostingKind;
  /** Called when a resource is taken off the agent of a host. */
  taken?(trx: Trx, core: Core, allocator: AddressAllocator, host: string, id: string): Promise<void>;
  /** Called when agents of these resources are gone or disabled. */
  unserved?(trx: Trx, core: Core, ids: readonly string[]): Promise<void>;
}

const RULES: ReadonlyMap<HostingKind, Omit<Hosting, 'kind'>> = new Map([
  [DHCP_AGENTS, { taken: reserveDhcpPort, unserved: releaseUnserved }],
]);

/** All kinds of agents that host something. Most kinds need no rules of their own. */
export const HOSTINGS: readonly Hosting[] = HOSTING_KINDS.map((kind) => ({ kind, ...RULES.get(kind) }));
