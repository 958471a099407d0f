import type { Config } from '../config/options.ts';
import type { Queries } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import { L2_AGENT_TYPES } from './agent-kinds.ts';
import { oldestHeartbeat } from './liveness.ts';

/** A type of agent that binds ports. */
export type L2AgentType = (typeof L2_AGENT_TYPES)[number];

/** The live L2 agent of a host, as reported. */
export interface L2Agent {
  readonly agentType: L2AgentType;
  readonly configurations: Readonly<Record<string, unknown>>;
}

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

/** Returns the live L2 agent of a host, which can bind ports there; undefined if there is none. */
export async function aliveL2Agent(db: Queries, config: Config, host: string): Promise<L2Agent | undefined> {
  const row = (await find(db, { host, oldest: oldestHeartbeat(config) })).rows[0];
  return row && l2Agent(row);
}

/** Returns an L2 agent from its row, whose type is one of L2_AGENT_TYPES. */
export const l2Agent = ({ agent_type, configurations }: Row): L2Agent => ({
  agentType: agent_type as L2AgentType,
  configurations: JSON.parse(configurations) as Record<string, unknown>,
});

/**
 * Returns whether a host can have ports on several segments of one network, dead or alive: Open vSwitch agents give each segment a
 * VLAN of its own (since release 2023.1), Linux bridge agents have one bridge for a network.
 */
export async function connectsSegments(db: Queries, host: string): Promise<boolean> {
  const types = await db
    .selectFrom('agents')
    .select('agent_type')
    .where('host', '=', host)
    .where('agent_type', 'in', L2_AGENT_TYPES)
    .execute();
  return types.length > 0 && types.every(({ agent_type }) => agent_type === 'Open vSwitch agent');
}
