import { sql } from 'kysely';
import type { Core } from '../plugin/core.ts';
import { DHCP_AGENTS } from '../scheduler/agent-kinds.ts';
import { agentOfHost, autoSchedule } from '../scheduler/auto-schedule.ts';
import { bindingsOf } from '../scheduler/bindings.ts';

/** A page of an agent's networks: those after `marker`, up to `limit` networks and ports together, but at least one network. */
export interface ActivePage {
  readonly limit?: number | undefined;
  readonly marker?: string | undefined;
}

export interface ActiveNetworks {
  readonly ids: readonly string[];
  /** Whether more networks follow. */
  readonly more: boolean;
}

/**
 * Returns the ids of the networks that the DHCP agent of a host must serve, in order: those bound to it that are up, or a page
 * of them. With `network_auto_schedule`, unserved networks are first scheduled to it. Returns none for an agent that is not
 * registered or disabled, which then releases its networks.
 */
export async function activeNetworks(core: Core, host: string, page: ActivePage = {}): Promise<ActiveNetworks> {
  const { db, config } = core;
  const agent = await agentOfHost(db.kysely, config, DHCP_AGENTS, host);
  if (!agent) return { ids: [], more: false };
  if (page.marker === undefined) await autoSchedule(db, config, DHCP_AGENTS, agent);
  return boundNetworks(core, agent.id, page);
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
  // One row more than fits on the page, to determine whether there is another page.
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
