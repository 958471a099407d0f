import { sql } from 'kysely';
import type { Config } from '../config/options.ts';
import type { Queries } from '../db/database.ts';
import { bindingsOf } from './bindings.ts';
import type { Candidate } from './contract.ts';
import type { HostingKind } from './hosting-kind.ts';
import { oldestHeartbeat } from './liveness.ts';

/** Returns the agents of a kind that are alive and enabled. `withLoad`: count what each hosts. */
export async function aliveAgents(
  db: Queries,
  config: Config,
  kind: HostingKind,
  withLoad: boolean,
): Promise<readonly Candidate[]> {
  const load = sql<number>`(select count(*) from ${bindingsOf(kind)} b where b.agent_id = agents.id)`;
  const rows = await db
    .selectFrom('agents')
    .select(['id', 'host', 'availability_zone'])
    .select((withLoad ? load : sql<number>`0`).as('hosted'))
    .where('agent_type', '=', kind.type)
    .where('admin_state_up', '=', 1)
    .where('heartbeat_timestamp', '>=', oldestHeartbeat(config))
    .execute();
  return rows.map((row) => ({
    id: row.id,
    host: row.host,
    availabilityZone: row.availability_zone,
    load: Number(row.hosted),
  }));
}

/**
 * Returns the zones that a resource may be served from: its own hints, or default_availability_zones; none means all.
 * `hints`: a JSON list.
 */
export function zonesOf(config: Config, hints: string): readonly string[] {
  const own = JSON.parse(hints) as readonly string[];
  return own.length > 0 ? own : config.DEFAULT.default_availability_zones;
}

/** Whether a resource with these availability zone hints may be on the agent; no hints allow all. */
export const allowedBy = (hints: readonly string[], agent: Pick<Candidate, 'availabilityZone'>): boolean =>
  hints.length === 0 || (agent.availabilityZone !== null && hints.includes(agent.availabilityZone));
