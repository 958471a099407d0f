import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { neutronError } from '../../resources/errors.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import { agentsHosting, bind, hostedBy, unbind } from '../../scheduler/bindings.ts';
import { leastAdminState } from '../../scheduler/liveness.ts';
import type { Core, Document, RequestContext } from '../core.ts';
import { notifyHost } from '../events.ts';
import { loadInOrder } from '../listing.ts';
import { networkDocuments } from '../networks/documents.ts';
import { releaseUnserved } from '../provisioning.ts';
import { agentDocuments } from './documents.ts';
import { reserveDhcpPort } from './reserved-port.ts';
import { requireAgent } from './rules.ts';

/** Which networks are on which DHCP agents, as administrators see and change it. All throw NeutronError. */
export interface DhcpNetworkRules {
  networksOfAgent(context: RequestContext, agentId: string): Promise<readonly Document[]>;
  /** Also for a network that does not exist: no agent serves it. */
  agentsOfNetwork(context: RequestContext, networkId: string): Promise<readonly Document[]>;
  add(context: RequestContext, agentId: string, networkId: string): Promise<void>;
  remove(context: RequestContext, agentId: string, networkId: string): Promise<void>;
}

/** The rules of the DHCP agent scheduler's part of the API. */
export function dhcpNetworkRules(core: Core, allocator: AddressAllocator): DhcpNetworkRules {
  const { db, config } = core;

  async function add(context: RequestContext, trx: Trx, agentId: string, networkId: string): Promise<void> {
    const network = await trx.selectFrom('networks').select('id').where('id', '=', networkId).executeTakeFirst();
    if (!network) throw neutronError('NetworkNotFound', { id: networkId });
    const agent = await requireAgent(context, trx, agentId);
    if (agent.agent_type !== DHCP_AGENTS.type || agent.admin_state_up < leastAdminState(config))
      throw neutronError('InvalidDHCPAgent', { id: agentId });
    if (!(await bind(trx, DHCP_AGENTS, networkId, agentId)))
      throw neutronError('NetworkHostedByDHCPAgent', { network: networkId, agent: agentId });
    await notifyHost(trx, DHCP_AGENTS.notify.added(networkId), networkId, agent.host);
  }

  async function remove(context: RequestContext, trx: Trx, agentId: string, networkId: string): Promise<void> {
    const agent = await requireAgent(context, trx, agentId);
    if (!(await unbind(trx, DHCP_AGENTS, networkId, agentId)))
      throw neutronError('NetworkNotHostedByDhcpAgent', { network: networkId, agent: agentId });
    await reserveDhcpPort(trx, core, allocator, agent.host, networkId);
    await releaseUnserved(trx, core, [networkId]);
    await notifyHost(trx, DHCP_AGENTS.notify.removed(networkId), networkId, agent.host);
  }

  return {
    async networksOfAgent(context, agentId) {
      await requireAgent(context, db.kysely, agentId);
      const ids = await hostedBy(db.kysely, DHCP_AGENTS, agentId);
      return loadInOrder(ids, (some) => networkDocuments(db.kysely, some));
    },
    async agentsOfNetwork(_context, networkId) {
      const ids = await agentsHosting(db.kysely, DHCP_AGENTS, networkId);
      return loadInOrder(ids, (some) => agentDocuments(db.kysely, config, some));
    },
    add: (context, agentId, networkId) => db.transaction((trx) => add(context, trx, agentId, networkId)),
    remove: (context, agentId, networkId) => db.transaction((trx) => remove(context, trx, agentId, networkId)),
  };
}
