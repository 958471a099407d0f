import type { Config } from '../../config/options.ts';
import type { Queries } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import { oldestHeartbeat } from '../../scheduler/liveness.ts';
import type { L2Agent } from '../ports/binding.ts';

/** Types of agents that bind ports. */
export const L2_AGENT_TYPES = ['Linux bridge agent', 'Open vSwitch agent'];

interface Row {
  readonly agent_type: string;
  readonly configurations: string;
}

const find = prepared<{ host: string; oldest: string }, Row>((db, p) =>
  db
    .selectFrom('agents')
    .select(['agent_type', 'configurations'])
    .where('host', '=', p('host'))
    .where('agent_type', 'in', L2_AGENT_TYPES)
    .where('admin_state_up', '=', 1)
    .where('heartbeat_timestamp', '>=', p('oldest')),
);

/** The living L2 agent of a host, which can bind ports there; undefined when none reports. */
export async function livingL2Agent(db: Queries, config: Config, host: string): Promise<L2Agent | undefined> {
  const row = (await find(db, { host, oldest: oldestHeartbeat(config) })).rows[0];
  return row && l2Agent(row);
}

/** An L2 agent out of its row. */
export const l2Agent = ({ agent_type: agentType, configurations }: Row): L2Agent => ({
  agentType,
  configurations: JSON.parse(configurations) as Record<string, unknown>,
});
