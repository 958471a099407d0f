import { sql } from 'kysely';
import type { Config } from '../config/options.ts';
import type { Queries } from '../db/database.ts';
import { DHCP_AGENT } from './bindings.ts';
import type { Candidate } from './contract.ts';
import { oldestHeartbeat } from './liveness.ts';

/** The DHCP agents that live and are enabled. `withLoad`: count the networks of each. */
export async function livingDhcpAgents(db: Queries, config: Config, withLoad: boolean): Promise<readonly Candidate[]> {
  const load = sql<number>`(select count(*) from networkdhcpagentbindings b where b.dhcp_agent_id = agents.id)`;
  const rows = await db
    .selectFrom('agents')
    .select(['id', 'host', 'availability_zone'])
    .select((withLoad ? load : sql<number>`0`).as('networks'))
    .where('agent_type', '=', DHCP_AGENT)
    .where('admin_state_up', '=', 1)
    .where('heartbeat_timestamp', '>=', oldestHeartbeat(config))
    .execute();
  return rows.map((row) => ({
    id: row.id,
    host: row.host,
    availabilityZone: row.availability_zone,
    load: Number(row.networks),
  }));
}

/** The zones that a network may be served from: its own hints, or default_availability_zones; none means all. `hints`: JSON list. */
export function zonesOf(config: Config, hints: string): readonly string[] {
  const own = JSON.parse(hints) as readonly string[];
  return own.length > 0 ? own : config.DEFAULT.default_availability_zones;
}

/** Whether a network with these availability zone hints may be on the agent; no hints allow all. */
export const allowedBy = (hints: readonly string[], agent: Pick<Candidate, 'availabilityZone'>): boolean =>
  hints.length === 0 || (agent.availabilityZone !== null && hints.includes(agent.availabilityZone));
