import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { DHCP_AGENTS, HOSTING_KINDS } from '../../scheduler/agent-kinds.ts';
import type { HostingKind } from '../../scheduler/hosting-kind.ts';
import type { Core } from '../core.ts';
import { releaseUnserved } from '../provisioning.ts';
import { reserveDhcpPort } from './reserved-port.ts';

/** An agent kind with the rules for what it hosts. */
export interface Hosting {
  readonly kind: HostingKind;
  /** Called when a resource is removed from the agent of a host. */
  taken?(trx: Trx, core: Core, allocator: AddressAllocator, host: string, id: string): Promise<void>;
  /** Called when agents of these resources were deleted or disabled. */
  unserved?(trx: Trx, core: Core, ids: readonly string[]): Promise<void>;
}

const RULES: ReadonlyMap<HostingKind, Omit<Hosting, 'kind'>> = new Map([
  [DHCP_AGENTS, { taken: reserveDhcpPort, unserved: releaseUnserved }],
]);

/** All agent kinds that host resources. Most kinds need no rules of their own. */
export const HOSTINGS: readonly Hosting[] = HOSTING_KINDS.map((kind) => ({ kind, ...RULES.get(kind) }));
