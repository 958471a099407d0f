import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { EVENTS } from '../../rpc/events.ts';
import { bindNetwork, unbindNetwork } from '../../scheduler/bindings.ts';
import type { Scheduler } from '../../scheduler/contract.ts';
import { configuredScheduler } from '../../scheduler/drivers.ts';
import { oldestHeartbeat } from '../../scheduler/liveness.ts';
import { chooseSuccessor } from '../../scheduler/successors.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { reserveDhcpPort } from './reserved-port.ts';

/** Another server was quicker: the transaction is to be undone. */
class Overtaken extends Error {}

/**
 * Moves a network off an agent to another one, in one transaction; gives the host that serves it now. undefined when nobody can
 * take it, the agent does not have it, or is none of `which`: enabled agents that count as dead (for `startFailover`), or any.
 * The old agent is not told: a message that waits for a dead one would take the network away again after it has come back. It
 * looks anew at what it is to serve when it reports again, for it is told then that it had been taken for dead.
 */
export function networkMover(
  core: Core,
  allocator: AddressAllocator,
  which: 'dead' | 'any' = 'dead',
): (networkId: string, agentId: string) => Promise<string | undefined> {
  const scheduler = configuredScheduler(core.config);
  return async (networkId, agentId) => {
    const move = async (trx: Trx): Promise<string | undefined> => {
      const host = await hostOfAgent(trx, core, agentId, which);
      return host === undefined
        ? undefined
        : moveNetwork(trx, core, allocator, scheduler, networkId, { agentId, host });
    };
    try {
      return await core.db.transaction(move);
    } catch (error) {
      if (error instanceof Overtaken) return undefined;
      throw error;
    }
  };
}

async function moveNetwork(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  scheduler: Scheduler,
  networkId: string,
  { agentId, host }: { readonly agentId: string; readonly host: string },
): Promise<string | undefined> {
  const successor = await chooseSuccessor(trx, core.config, scheduler, networkId, agentId);
  if (!successor || !(await unbindNetwork(trx, networkId, agentId))) return undefined;
  if (!(await bindNetwork(trx, networkId, successor.id))) throw new Overtaken();
  const to = { network: networkId, host: successor.host };
  await enqueueNotification(trx, EVENTS.network_added_to_agent, { network: { id: networkId } }, to);
  await reserveDhcpPort(trx, core, allocator, host, networkId);
  return successor.host;
}

/** Host of an agent. Its report waits meanwhile: whoever is told `revived` sees what was moved. */
async function hostOfAgent(trx: Trx, core: Core, id: string, which: 'dead' | 'any'): Promise<string | undefined> {
  let query = trx.selectFrom('agents').select('host').where('id', '=', id);
  if (which === 'dead')
    query = query.where('admin_state_up', '=', 1).where('heartbeat_timestamp', '<', oldestHeartbeat(core.config));
  if (core.db.dialect === 'mysql') query = query.forUpdate();
  return (await query.executeTakeFirst())?.host;
}
