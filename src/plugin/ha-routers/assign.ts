import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { L3_AGENTS } from '../../scheduler/agent-kinds.ts';
import { configuredScheduler } from '../../scheduler/drivers.ts';
import { assignAgents } from '../assign.ts';
import type { Core } from '../core.ts';
import { addHaPort } from './ports.ts';

/**
 * Schedules a router to as many L3 agents as highly available ones have, with a port for each. As in Neutron, at once, and also without
 * interfaces: agents that come later are given it when they ask for their routers, or with its next change.
 */
export async function assignHaRouter(trx: Trx, core: Core, allocator: AddressAllocator, id: string): Promise<void> {
  const scheduler = configuredScheduler(core.config, L3_AGENTS);
  await assignAgents(trx, core, allocator, { kind: L3_AGENTS, scheduler, given: addHaPort }, [id]);
}
