import { sql } from 'kysely';
import type { Config } from '../../config/options.ts';
import type { Queries } from '../../db/database.ts';
import { AGENT } from '../../resources/agent.ts';
import { oldestHeartbeat } from '../../scheduler/liveness.ts';
import type { Document } from '../core.ts';
import type { ListPlan } from '../listing.ts';

/** How lists of agents are found. `alive` is no column: it is asked of the heartbeats at the moment of the list. */
export function agentList(config: Config): ListPlan {
  return {
    resource: AGENT,
    table: 'agents',
    from: sql`from agents`,
    conditions: {
      alive: (values) => {
        const wanted = new Set(values.map((v) => AGENT.attributes.admin_state_up.type.filter?.(v)));
        if (wanted.size > 1) return sql`1 = 1`;
        const oldest = oldestHeartbeat(config);
        return wanted.has(1)
          ? sql`agents.heartbeat_timestamp >= ${oldest}`
          : sql`agents.heartbeat_timestamp < ${oldest}`;
      },
    },
  };
}

/** Documents of agents by id, as the API shows them. Times are shown as the tables hold them, as Neutron does for agents. */
export async function agentDocuments(
  db: Queries,
  config: Config,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Document>> {
  if (ids.length === 0) return new Map();
  const oldest = oldestHeartbeat(config);
  const rows = await db
    .selectFrom('agents')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute();
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        agent_type: row.agent_type,
        binary: row.binary,
        topic: row.topic,
        host: row.host,
        availability_zone: row.availability_zone,
        admin_state_up: row.admin_state_up === 1,
        alive: row.heartbeat_timestamp >= oldest,
        created_at: row.created_at,
        started_at: row.started_at,
        heartbeat_timestamp: row.heartbeat_timestamp,
        description: row.description,
        configurations: JSON.parse(row.configurations),
        resources_synced: row.resources_synced === null ? null : row.resources_synced === 1,
      },
    ]),
  );
}
