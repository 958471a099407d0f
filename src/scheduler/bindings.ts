import type { Config } from '../config/options.ts';
import type { Queries, Trx } from '../db/database.ts';
import { leastAdminState, oldestHeartbeat } from './liveness.ts';

/** `agent_type` of DHCP agents. */
export const DHCP_AGENT = 'DHCP agent';

/** A DHCP agent that a network is bound to. */
export interface ServingAgent {
  readonly id: string;
  readonly host: string;
  readonly availabilityZone: string | null;
  /** Whether it is to serve the network. */
  readonly enabled: boolean;
  readonly alive: boolean;
}

const NONE: readonly ServingAgent[] = [];
/** Servers that may take a binding_index just before this one does, one after the other. */
const BIND_TRIES = 8;

/** The DHCP agents of each network that has any, by network, in the order of their binding_index. */
export async function servingAgents(
  db: Queries,
  config: Config,
  networkIds: readonly string[],
): Promise<ReadonlyMap<string, readonly ServingAgent[]>> {
  if (networkIds.length === 0) return new Map();
  const oldest = oldestHeartbeat(config);
  const rows = await db
    .selectFrom('networkdhcpagentbindings as b')
    .innerJoin('agents', 'agents.id', 'b.dhcp_agent_id')
    .select(['b.network_id', 'agents.id', 'agents.host', 'agents.availability_zone'])
    .select(['agents.admin_state_up', 'agents.heartbeat_timestamp'])
    .where('b.network_id', 'in', [...networkIds])
    .orderBy('b.binding_index')
    .execute();
  const agents = new Map<string, readonly ServingAgent[]>();
  for (const row of rows) {
    const agent: ServingAgent = {
      id: row.id,
      host: row.host,
      availabilityZone: row.availability_zone,
      enabled: row.admin_state_up >= leastAdminState(config),
      alive: row.heartbeat_timestamp >= oldest,
    };
    agents.set(row.network_id, [...(agents.get(row.network_id) ?? NONE), agent]);
  }
  return agents;
}

/**
 * Binds a network to an agent under its lowest vacant binding_index. `most`: agents of the network at most; no bound unless
 * told. Gives whether the binding was made: the unique keys (network, agent) and (network, index) decide between servers that
 * bind at the same time.
 */
export async function bindNetwork(
  trx: Trx,
  networkId: string,
  agentId: string,
  most = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  for (let tries = 0; tries < BIND_TRIES; tries += 1) {
    const rows = await trx
      .selectFrom('networkdhcpagentbindings')
      .select(['dhcp_agent_id', 'binding_index'])
      .where('network_id', '=', networkId)
      .execute();
    if (rows.length >= most || rows.some((row) => row.dhcp_agent_id === agentId)) return false;
    const taken = new Set(rows.map((row) => row.binding_index));
    let index = 1;
    while (taken.has(index)) index += 1;
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('networkdhcpagentbindings')
      .ignore()
      .values({ network_id: networkId, dhcp_agent_id: agentId, binding_index: index })
      .executeTakeFirstOrThrow();
    if ((numInsertedOrUpdatedRows ?? 0n) > 0n) return true;
    // Another server took the index meanwhile (its row can be seen now), or the network went.
  }
  return false;
}

/** Takes a network off an agent; gives whether it was on it. */
export async function unbindNetwork(trx: Trx, networkId: string, agentId: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('networkdhcpagentbindings')
    .where('network_id', '=', networkId)
    .where('dhcp_agent_id', '=', agentId)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
