import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { DHCP_AGENTS, HOSTING_KINDS, L3_AGENTS } from '../../scheduler/agent-kinds.ts';
import type { HostingKind } from '../../scheduler/hosting-kind.ts';
import type { Given, HostAgent } from '../assign.ts';
import type { Core } from '../core.ts';
import { addHaPort, removeHaPort } from '../ha-routers/ports.ts';
import { releaseUnserved } from '../provisioning.ts';
import { reserveDhcpPort } from './reserved-port.ts';

/** An agent kind with the rules for what it hosts. */
export interface Hosting {
  readonly kind: HostingKind;
  /** Called when an agent was given a resource. */
  readonly given?: Given;
  /** Called when a resource is removed from an agent. */
  taken?(trx: Trx, core: Core, allocator: AddressAllocator, agent: HostAgent, id: string): Promise<void>;
  /** Called when agents of these resources were deleted or disabled. */
  unserved?(trx: Trx, core: Core, ids: readonly string[]): Promise<void>;
}

const RULES: ReadonlyMap<HostingKind, Omit<Hosting, 'kind'>> = new Map<HostingKind, Omit<Hosting, 'kind'>>([
  [DHCP_AGENTS, { taken: reserveDhcpPort, unserved: releaseUnserved }],
  [L3_AGENTS, { given: addHaPort, taken: (trx, _core, _allocator, agent, id) => removeHaPort(trx, agent, id) }],
]);

/** All agent kinds that host resources. Most kinds need no rules of their own. */
export const HOSTINGS: readonly Hosting[] = HOSTING_KINDS.map((kind) => ({ kind, ...RULES.get(kind) }));
