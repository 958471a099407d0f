import type { Config } from '../../config/options.ts';
import type { Queries, Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { neutronError } from '../../resources/errors.ts';
import { EVENTS } from '../../rpc/events.ts';
import { bindNetwork, DHCP_AGENT, unbindNetwork } from '../../scheduler/bindings.ts';
import { leastAdminState } from '../../scheduler/liveness.ts';
import type { Core, Document } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { loadInOrder } from '../listing.ts';
import { networkDocuments } from '../networks/documents.ts';
import { releaseUnserved } from '../provisioning.ts';
import { agentDocuments } from './documents.ts';
import { reserveDhcpPort } from './reserved-port.ts';
import { requireAgent } from './rules.ts';

/** Which networks are on which DHCP agents, as administrators see and change it. All throw NeutronError. */
export interface DhcpNetworkRules {
  networksOfAgent(agentId: string): Promise<readonly Document[]>;
  /** Also for a network that does not exist: nobody serves it. */
  agentsOfNetwork(networkId: string): Promise<readonly Document[]>;
  add(agentId: string, networkId: string): Promise<void>;
  remove(agentId: string, networkId: string): Promise<void>;
}

async function addNetwork(trx: Trx, config: Config, agentId: string, networkId: string): Promise<void> {
  const network = await trx.selectFrom('networks').select('id').where('id', '=', networkId).executeTakeFirst();
  if (!network) throw neutronError('NetworkNotFound', { id: networkId });
  const agent = await requireAgent(trx, agentId);
  if (agent.agent_type !== DHCP_AGENT || agent.admin_state_up < leastAdminState(config))
    throw neutronError('InvalidDHCPAgent', { id: agentId });
  if (!(await bindNetwork(trx, networkId, agentId)))
    throw neutronError('NetworkHostedByDHCPAgent', { network: networkId, agent: agentId });
  await enqueueNotification(
    trx,
    EVENTS.network_added_to_agent,
    { network: { id: networkId } },
    { network: networkId, host: agent.host },
  );
}

async function removeNetwork(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  agentId: string,
  networkId: string,
): Promise<void> {
  const agent = await requireAgent(trx, agentId);
  if (!(await unbindNetwork(trx, networkId, agentId)))
    throw neutronError('NetworkNotHostedByDhcpAgent', { network: networkId, agent: agentId });
  await reserveDhcpPort(trx, core, allocator, agent.host, networkId);
  await releaseUnserved(trx, core, [networkId]);
  const to = { network: networkId, host: agent.host };
  await enqueueNotification(trx, EVENTS.network_removed_from_agent, { network_id: networkId }, to);
}

/** The rules of the DHCP agent scheduler's part of the API. */
export function dhcpNetworkRules(core: Core, allocator: AddressAllocator): DhcpNetworkRules {
  const { db, config } = core;
  const bindings = (queries: Queries) => queries.selectFrom('networkdhcpagentbindings as b').orderBy('b.binding_index');
  return {
    async networksOfAgent(agentId) {
      await requireAgent(db.kysely, agentId);
      const rows = await bindings(db.kysely)
        .select('b.network_id')
        .where('b.dhcp_agent_id', '=', agentId)
        .orderBy('b.network_id')
        .execute();
      return loadInOrder(
        rows.map((r) => r.network_id),
        (ids) => networkDocuments(db.kysely, ids),
      );
    },
    async agentsOfNetwork(networkId) {
      const rows = await bindings(db.kysely).select('b.dhcp_agent_id').where('b.network_id', '=', networkId).execute();
      return loadInOrder(
        rows.map((r) => r.dhcp_agent_id),
        (ids) => agentDocuments(db.kysely, config, ids),
      );
    },
    add: (agentId, networkId) => db.transaction((trx) => addNetwork(trx, config, agentId, networkId)),
    remove: (agentId, networkId) => db.transaction((trx) => removeNetwork(trx, core, allocator, agentId, networkId)),
  };
}
