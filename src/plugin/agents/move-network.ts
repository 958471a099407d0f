import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { bindNetwork, unbindNetwork } from '../../scheduler/bindings.ts';
import type { Scheduler } from '../../scheduler/contract.ts';
import { configuredScheduler } from '../../scheduler/drivers.ts';
import { oldestHeartbeat } from '../../scheduler/liveness.ts';
import { chooseSuccessor } from '../../scheduler/successors.ts';
import type { Core } from '../core.ts';
import { tellDhcpAgent } from '../events.ts';
import { reserveDhcpPort } from './reserved-port.ts';

/** Another server was quicker: the transaction is to be undone. */
class Overtaken extends Error {}

/**
 * What `startFailover` moves networks with: each move is one transaction. The dead agent is not told: a message that waits for it
 * would take the network away again after it has come back; it looks anew at what it is to serve when it reports again.
 */
export function networkMover(
  core: Core,
  allocator: AddressAllocator,
): (networkId: string, agentId: string) => Promise<string | undefined> {
  const scheduler = configuredScheduler(core.config);
  return async (networkId, agentId) => {
    try {
      return await core.db.transaction((trx) => moveNetwork(trx, core, allocator, scheduler, networkId, agentId));
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
  agentId: string,
): Promise<string | undefined> {
  const host = await hostOfDead(trx, core, agentId);
  if (host === undefined) return undefined;
  const successor = await chooseSuccessor(trx, core.config, scheduler, networkId, agentId);
  if (!successor || !(await unbindNetwork(trx, networkId, agentId))) return undefined;
  if (!(await bindNetwork(trx, networkId, successor.id))) throw new Overtaken();
  await tellDhcpAgent(trx, networkId, successor.host, 'network_create_end', { network: { id: networkId } });
  await reserveDhcpPort(trx, core, allocator, host, networkId);
  return successor.host;
}

/** Host of an enabled agent that counts as dead. Its report waits meanwhile: whoever is told `revived` sees what was moved. */
async function hostOfDead(trx: Trx, core: Core, agentId: string): Promise<string | undefined> {
  let query = trx
    .selectFrom('agents')
    .select('host')
    .where('id', '=', agentId)
    .where('admin_state_up', '=', 1)
    .where('heartbeat_timestamp', '<', oldestHeartbeat(core.config));
  if (core.db.dialect === 'mysql') query = query.forUpdate();
  return (await query.executeTakeFirst())?.host;
}
