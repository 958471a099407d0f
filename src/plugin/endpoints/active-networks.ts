import { type Selectable, sql } from 'kysely';
import type { Agents } from '../../db/schema.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import { bindingsOf } from '../../scheduler/bindings.ts';
import { leastAdminState, oldestHeartbeat } from '../../scheduler/liveness.ts';
import { autoSchedulePage } from '../../scheduler/schedule.ts';
import type { Core } from '../core.ts';

/** Maximum number of networks bound to an asking agent in one transaction, so that others get their turn. */
const PAGE = 500;

type ServingAgentRow = Pick<Selectable<Agents>, 'id' | 'availability_zone' | 'heartbeat_timestamp' | 'admin_state_up'>;

/** Returns the DHCP agent of a host; undefined when it is not registered (yet), or disabled and serves nothing. */
async function servingDhcpAgent(core: Core, host: string): Promise<ServingAgentRow | undefined> {
  return core.db.kysely
    .selectFrom('agents')
    .select(['id', 'availability_zone', 'heartbeat_timestamp', 'admin_state_up'])
    .where('agent_type', '=', DHCP_AGENTS.type)
    .where('host', '=', host)
    .where('admin_state_up', '>=', leastAdminState(core.config))
    .executeTakeFirst();
}

/** A page of an agent's networks: those after `marker` until they and their ports are `limit`, but at least one. */
export interface ActivePage {
  readonly limit?: number | undefined;
  readonly marker?: string | undefined;
}

export interface ActiveNetworks {
  readonly ids: readonly string[];
  /** Whether there are more after the last one. */
  readonly more: boolean;
}

/**
 * Returns the ids of the networks that the DHCP agent of a host must serve, in order: those bound to it that are up, or a page of
 * them. With `network_auto_schedule` it is first given those that lack an agent. None for an agent that is not registered, or
 * disabled: it releases what it has.
 */
export async function activeNetworks(core: Core, host: string, page: ActivePage = {}): Promise<ActiveNetworks> {
  const agent = await servingDhcpAgent(core, host);
  if (!agent) return { ids: [], more: false };
  if (page.marker === undefined) await autoSchedule(core, agent);
  return boundNetworks(core, agent.id, page);
}

/** Binds networks that lack an agent to the asking one, if it may be given any. */
async function autoSchedule({ db, config }: Core, agent: ServingAgentRow): Promise<void> {
  if (!config.DEFAULT[DHCP_AGENTS.options.autoSchedule]) return;
  if (agent.admin_state_up !== 1 || agent.heartbeat_timestamp < oldestHeartbeat(config)) return;
  const asking = { id: agent.id, availabilityZone: agent.availability_zone };
  for (let after: string | undefined = ''; after !== undefined; ) {
    const from: string = after;
    after = await db.transaction((trx) => autoSchedulePage(trx, config, DHCP_AGENTS, asking, from, PAGE));
  }
}

async function boundNetworks(core: Core, agentId: string, { limit, marker = '' }: ActivePage): Promise<ActiveNetworks> {
  const all = core.db.kysely
    .selectFrom(bindingsOf(DHCP_AGENTS).as('b'))
    .innerJoin('networks', 'networks.id', 'b.resource_id')
    .select('networks.id')
    .where('b.agent_id', '=', agentId)
    .where('networks.admin_state_up', '=', 1)
    .where('networks.id', '>', marker)
    .orderBy('networks.id');
  if (limit === undefined) return { ids: (await all.execute()).map((row) => row.id), more: false };
  const ports = sql<number>`(select count(*) from ports where ports.network_id = networks.id)`;
  // One row more than the page can hold shows whether there is another page.
  const rows = await all
    .select(ports.as('ports'))
    .limit(limit + 1)
    .execute();
  const ids: string[] = [];
  let size = 0;
  for (const row of rows) {
    size += 1 + Number(row.ports);
    if (ids.length > 0 && size > limit) break;
    ids.push(row.id);
  }
  return { ids, more: ids.length < rows.length };
}
