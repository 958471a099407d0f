import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { bind, unbind } from '../../scheduler/bindings.ts';
import type { Scheduler } from '../../scheduler/contract.ts';
import { configuredScheduler } from '../../scheduler/drivers.ts';
import type { HostingKind } from '../../scheduler/hosting-kind.ts';
import { oldestHeartbeat } from '../../scheduler/liveness.ts';
import { chooseSuccessor } from '../../scheduler/successors.ts';
import type { Core } from '../core.ts';
import { notifyHost } from '../events.ts';
import { HOSTINGS, type Hosting } from './hosting.ts';

/** Another server was faster: the transaction is rolled back. */
class Overtaken extends Error {}

/** The agents that a resource may be moved from: enabled ones that are considered dead, or any. */
type Movable = 'dead' | 'any';

/** Moves a resource from an agent to another one; see `resourceMover`. */
export type Mover = (kind: HostingKind, resourceId: string, agentId: string) => Promise<string | undefined>;

/**
 * Returns a function that moves a resource from an agent to another one, in one transaction. The function returns the new host;
 * undefined if no agent can host the resource, the agent does not host it, or the agent must keep it (`from`; default: 'dead', as
 * needed by `startFailover`). The old agent is not notified: a message waiting for a dead agent could remove the resource again
 * after the agent is back. It compares its state with its bindings when it reports again, because the reply is `revived`.
 */
export function resourceMover(
  core: Core,
  allocator: AddressAllocator,
  from: Movable = 'dead',
  hostings: readonly Hosting[] = HOSTINGS,
): Mover {
  const schedulers = new Map(hostings.map(({ kind }) => [kind, configuredScheduler(core.config, kind)]));
  return async (kind, resourceId, agentId) => {
    const scheduler = schedulers.get(kind);
    const hosting = hostings.find((one) => one.kind === kind);
    if (!scheduler || !hosting) throw new Error(`${kind.type} is none of the kinds whose resources move here`);
    try {
      return await core.db.transaction(async (trx) => {
        const host = await hostOfAgent(trx, core, agentId, from);
        return host === undefined
          ? undefined
          : moveResource(trx, core, allocator, hosting, scheduler, resourceId, { agentId, host });
      });
    } catch (error) {
      if (error instanceof Overtaken) return undefined;
      throw error;
    }
  };
}

async function moveResource(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  { kind, given, taken }: Hosting,
  scheduler: Scheduler,
  id: string,
  { agentId, host }: { readonly agentId: string; readonly host: string },
): Promise<string | undefined> {
  const successor = await chooseSuccessor(trx, core.config, kind, scheduler, id, agentId);
  if (!successor || !(await unbind(trx, kind, id, agentId))) return undefined;
  if (!(await bind(trx, kind, id, successor.id))) throw new Overtaken();
  await given?.(trx, core, allocator, successor, id);
  await notifyHost(trx, kind.notify.added(id), id, successor.host);
  await taken?.(trx, core, allocator, { id: agentId, host }, id);
  return successor.host;
}

/**
 * Returns the host of an agent and locks its row. Its reports wait meanwhile, so that an agent that gets `revived` sees all
 * moves.
 */
async function hostOfAgent(trx: Trx, core: Core, id: string, from: Movable): Promise<string | undefined> {
  let query = trx.selectFrom('agents').select('host').where('id', '=', id);
  if (from === 'dead')
    query = query.where('admin_state_up', '=', 1).where('heartbeat_timestamp', '<', oldestHeartbeat(core.config));
  return (await core.db.locked(query).executeTakeFirst())?.host;
}
