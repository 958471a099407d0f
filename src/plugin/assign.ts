import type { Trx } from '../db/database.ts';
import type { AddressAllocator } from '../ipam/allocate.ts';
import type { Scheduler } from '../scheduler/contract.ts';
import type { HostingKind, Notification } from '../scheduler/hosting-kind.ts';
import { type NewBinding, scheduleResources } from '../scheduler/schedule.ts';
import type { Core } from './core.ts';
import { notifyHost } from './events.ts';

/** An agent that hosts, or hosted, a resource. */
export interface HostAgent {
  readonly id: string;
  readonly host: string;
}

/** What else an agent gets with a resource: rules of the kind, in the transaction that binds the two. */
export type Given = (
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  agent: HostAgent,
  resourceId: string,
) => Promise<void>;

/** A new binding with the notification of its agent, which is in the outbox. */
export interface Assignment extends NewBinding {
  readonly notification: Notification;
  /** Id of the outbox row. */
  readonly row: number;
}

/** Schedules resources (`scheduleResources`), and notifies the agents that were given them; all in the caller's transaction. */
export async function assignAgents(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  {
    kind,
    scheduler,
    given,
  }: { readonly kind: HostingKind; readonly scheduler: Scheduler; readonly given?: Given | undefined },
  ids: readonly string[],
): Promise<readonly Assignment[]> {
  const assigned: Assignment[] = [];
  for (const binding of await scheduleResources(trx, core.config, kind, scheduler, ids)) {
    const { resourceId, agent } = binding;
    await given?.(trx, core, allocator, agent, resourceId);
    const notification = kind.notify.added(resourceId);
    const row = await notifyHost(trx, notification, resourceId, agent.host);
    assigned.push({ ...binding, notification, row });
  }
  return assigned;
}
