import { sql } from 'kysely';
import type { Config } from '../../config/options.ts';
import type { Queries } from '../../db/database.ts';
import { AGENT } from '../../resources/agent.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { boolean } from '../../resources/types.ts';
import { oldestHeartbeat } from '../../scheduler/liveness.ts';
import type { Conditions } from '../../store/listing.ts';
import { selectPlain } from '../../store/select.ts';

/** Filters of agents that are not plain columns. `alive` is evaluated from the heartbeats at the time of the list. */
export const agentConditions = (config: Config): Conditions => ({
  alive: (values) => {
    const wanted = new Set(values.map((v) => boolean.filter?.(v)));
    if (wanted.size > 1) return sql`1 = 1`;
    const oldest = oldestHeartbeat(config);
    return wanted.has(1) ? sql`agents.heartbeat_timestamp >= ${oldest}` : sql`agents.heartbeat_timestamp < ${oldest}`;
  },
});

/** Loads the documents of agents by id. As in Neutron, their times are shown as stored in the tables. */
export async function agentDocuments(
  db: Queries,
  config: Config,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DocumentOf<typeof AGENT>>> {
  const oldest = oldestHeartbeat(config);
  const rows = await selectPlain(db, AGENT, ids);
  return new Map(rows.map(({ id, shown }) => [id, { ...shown, alive: shown.heartbeat_timestamp >= oldest }]));
}

/** Returns an agent's row. Throws AgentNotFound. */
export async function requireAgent(db: Queries, id: string) {
  const row = await db.selectFrom('agents').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw neutronError('AgentNotFound', { id });
  return row;
}
