import type { Caller } from '../../auth/contract.ts';
import type { Queries, Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import type { AGENT } from '../../resources/agent.ts';
import { neutronError } from '../../resources/errors.ts';
import type { ROUTER } from '../../resources/router.ts';
import { L3_AGENTS } from '../../scheduler/agent-kinds.ts';
import { bind, hostedBy, hostingAgentIds, unbind } from '../../scheduler/bindings.ts';
import { allowedBy, zonesOf } from '../../scheduler/candidates.ts';
import { agentsWanted } from '../../scheduler/hosting-kind.ts';
import { leastAdminState } from '../../scheduler/liveness.ts';
import { loadInOrder } from '../../store/listing.ts';
import type { Core } from '../core.ts';
import { notifyHost } from '../events.ts';
import { addHaPort, haStates, removeHaPort } from '../ha-routers/ports.ts';
import type { HandlersOf } from '../module.ts';
import { enqueueAnnouncement } from '../notifications.ts';
import { routerDocuments } from '../routers/documents.ts';
import { agentDocuments, requireAgent } from './documents.ts';

type AgentHandlers = Pick<HandlersOf<typeof AGENT>, 'list_l3_routers' | 'add_l3_router' | 'remove_l3_router'>;
type Agent = Awaited<ReturnType<typeof requireAgent>>;

/** Returns how the agent takes part in distributed routing, as it reports it. */
function modeOf({ configurations }: Agent): string {
  const { agent_mode: mode }: { agent_mode?: unknown } = JSON.parse(configurations);
  return typeof mode === 'string' ? mode : 'legacy';
}

/** Whether the agent is for the distributed routers of its own host only, whose placement follows the ports there. */
const isLocalOnly = (agent: Agent): boolean => modeOf(agent) === 'dvr' || modeOf(agent) === 'dvr_no_external';

async function requireRouter(db: Queries, id: string) {
  const row = await db
    .selectFrom('routers')
    .innerJoin('router_extra_attributes as e', 'e.router_id', 'routers.id')
    .select(['routers.id', 'e.ha', 'e.distributed', 'e.availability_zone_hints'])
    .where('routers.id', '=', id)
    .executeTakeFirst();
  if (!row) throw neutronError('RouterNotFound', { id });
  return row;
}

/** Handlers of the L3 agent scheduler's operations on agents. */
export function agentRouterHandlers(core: Core, allocator: AddressAllocator): AgentHandlers {
  const { db, config } = core;
  const announce = (trx: Trx, caller: Caller, how: 'add' | 'remove', id: string, router_id: string) =>
    enqueueAnnouncement(trx, core, caller, `l3_agent.router.${how}`, { agent: { id, router_id } });

  async function add(trx: Trx, agentId: string, routerId: string): Promise<void> {
    const router = await requireRouter(trx, routerId);
    const agent = await requireAgent(trx, agentId);
    if (agent.agent_type !== L3_AGENTS.type) throw neutronError('InvalidL3Agent', { id: agentId });
    if (isLocalOnly(agent)) throw neutronError('DVRL3CannotAssignToDvrAgent', { agent: agentId });
    if (router.distributed === 1 && modeOf(agent) === 'legacy')
      throw neutronError('RouterL3AgentMismatch', { router: routerId, agent: agentId });
    const zones = zonesOf(config, router.availability_zone_hints);
    const suitable = allowedBy(zones, { availabilityZone: agent.availability_zone });
    if (agent.admin_state_up < leastAdminState(config) || !suitable)
      throw neutronError('InvalidL3Agent', { id: agentId });
    const hosting = await hostingAgentIds(trx, L3_AGENTS, routerId);
    if (hosting.includes(agentId)) return;
    // An operator may give a highly available router more agents than the configuration does.
    const most = router.ha === 1 ? Number.MAX_SAFE_INTEGER : agentsWanted(config, L3_AGENTS, 1);
    if (!(await bind(trx, L3_AGENTS, routerId, agentId, most)))
      throw neutronError('RouterHostedByL3Agent', { router: routerId, agent: hosting[0] ?? agentId });
    await addHaPort(trx, core, allocator, agent, routerId);
    await notifyHost(trx, L3_AGENTS.notify.added(routerId), routerId, agent.host);
  }

  async function remove(trx: Trx, agentId: string, routerId: string): Promise<void> {
    const agent = await requireAgent(trx, agentId);
    if (isLocalOnly(agent)) throw neutronError('DVRL3CannotRemoveFromDvrAgent', { agent: agentId });
    await requireRouter(trx, routerId);
    // As in Neutron, a router that the agent does not host is not an error.
    if (!(await unbind(trx, L3_AGENTS, routerId, agentId))) return;
    await removeHaPort(trx, agent, routerId);
    await notifyHost(trx, L3_AGENTS.notify.removed(routerId), routerId, agent.host);
  }

  return {
    async list_l3_routers(_caller, { id }) {
      await requireAgent(db.kysely, id);
      const ids = await hostedBy(db.kysely, L3_AGENTS, id);
      return { routers: await loadInOrder(ids, (some) => routerDocuments(db.kysely, some)) };
    },
    async add_l3_router(caller, { id, body }) {
      await db.transaction(async (trx) => {
        await add(trx, id, body);
        await announce(trx, caller, 'add', id, body);
      });
      return null;
    },
    remove_l3_router: (caller, { id, parameters: { router_id: of = '' } }) =>
      db.transaction(async (trx) => {
        await remove(trx, id, of);
        await announce(trx, caller, 'remove', id, of);
      }),
  };
}

/** Handlers of the L3 agent scheduler's operations on routers. */
export const routerAgentHandlers = ({ db, config }: Core): Pick<HandlersOf<typeof ROUTER>, 'list_l3_agents'> => ({
  async list_l3_agents(_caller, { id }) {
    const ids = await hostingAgentIds(db.kysely, L3_AGENTS, id);
    const agents = await loadInOrder(ids, (some) => agentDocuments(db.kysely, config, some));
    const hosts = agents.map((agent) => ({ id: agent.id, serves: agent.alive && agent.admin_state_up }));
    const states = await haStates(db.kysely, id, hosts);
    return { agents: agents.map((agent) => ({ ...agent, ha_state: states.get(agent.id) ?? null })) };
  },
});
