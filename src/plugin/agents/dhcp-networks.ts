import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import type { AGENT } from '../../resources/agent.ts';
import { neutronError } from '../../resources/errors.ts';
import type { NETWORK } from '../../resources/network.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import { bind, hostedBy, hostingAgentIds, unbind } from '../../scheduler/bindings.ts';
import { leastAdminState } from '../../scheduler/liveness.ts';
import { loadInOrder } from '../../store/listing.ts';
import type { Core } from '../core.ts';
import { notifyHost } from '../events.ts';
import type { HandlersOf } from '../module.ts';
import { networkDocuments } from '../networks/documents.ts';
import { enqueueAnnouncement } from '../notifications.ts';
import { releaseUnserved } from '../provisioning.ts';
import { agentDocuments, requireAgent } from './documents.ts';
import { reserveDhcpPort } from './reserved-port.ts';

type AgentHandlers = Pick<HandlersOf<typeof AGENT>, 'list_dhcp_networks' | 'add_dhcp_network' | 'remove_dhcp_network'>;

/** Handlers of the DHCP agent scheduler's operations on agents. */
export function agentNetworkHandlers(core: Core, allocator: AddressAllocator): AgentHandlers {
  const { db, config } = core;

  const announce = (trx: Trx, caller: Caller, how: 'add' | 'remove', id: string, network_id: string) =>
    enqueueAnnouncement(trx, core, caller, `dhcp_agent.network.${how}`, { agent: { id, network_id } });

  async function add(trx: Trx, agentId: string, networkId: string): Promise<void> {
    const network = await trx.selectFrom('networks').select('id').where('id', '=', networkId).executeTakeFirst();
    if (!network) throw neutronError('NetworkNotFound', { id: networkId });
    const agent = await requireAgent(trx, agentId);
    if (agent.agent_type !== DHCP_AGENTS.type || agent.admin_state_up < leastAdminState(config))
      throw neutronError('InvalidDHCPAgent', { id: agentId });
    if (!(await bind(trx, DHCP_AGENTS, networkId, agentId)))
      throw neutronError('NetworkHostedByDHCPAgent', { network: networkId, agent: agentId });
    await notifyHost(trx, DHCP_AGENTS.notify.added(networkId), networkId, agent.host);
  }

  async function remove(trx: Trx, agentId: string, networkId: string): Promise<void> {
    const agent = await requireAgent(trx, agentId);
    if (!(await unbind(trx, DHCP_AGENTS, networkId, agentId)))
      throw neutronError('NetworkNotHostedByDhcpAgent', { network: networkId, agent: agentId });
    await reserveDhcpPort(trx, core, allocator, agent, networkId);
    await releaseUnserved(trx, core, [networkId]);
    await notifyHost(trx, DHCP_AGENTS.notify.removed(networkId), networkId, agent.host);
  }

  return {
    async list_dhcp_networks(_caller, { id }) {
      await requireAgent(db.kysely, id);
      const ids = await hostedBy(db.kysely, DHCP_AGENTS, id);
      return { networks: await loadInOrder(ids, (some) => networkDocuments(db.kysely, some)) };
    },
    async add_dhcp_network(caller, { id, body }) {
      await db.transaction(async (trx) => {
        await add(trx, id, body);
        await announce(trx, caller, 'add', id, body);
      });
      return null;
    },
    remove_dhcp_network: (caller, { id, parameters: { network_id: of = '' } }) =>
      db.transaction(async (trx) => {
        await remove(trx, id, of);
        await announce(trx, caller, 'remove', id, of);
      }),
  };
}

/** Handlers of the DHCP agent scheduler's operations on networks. */
export const networkAgentHandlers = ({ db, config }: Core): HandlersOf<typeof NETWORK> => ({
  async list_dhcp_agents(_caller, { id }) {
    const ids = await hostingAgentIds(db.kysely, DHCP_AGENTS, id);
    return { agents: await loadInOrder(ids, (some) => agentDocuments(db.kysely, config, some)) };
  },
});
