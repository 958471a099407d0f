import { type RawBuilder, sql } from 'kysely';
import type { Config } from '../config/options.ts';
import type { Queries, Trx } from '../db/database.ts';
import type { HostingKind } from './hosting-kind.ts';
import { leastAdminState, oldestHeartbeat } from './liveness.ts';

/** An agent that hosts a resource. */
export interface HostingAgent {
  readonly id: string;
  readonly host: string;
  readonly availabilityZone: string | null;
  /** Whether it serves what it hosts. */
  readonly enabled: boolean;
  readonly alive: boolean;
}

/** A row of a kind's bindings table, under the same column names for every kind. */
export interface AgentBinding {
  readonly resource_id: string;
  readonly agent_id: string;
  readonly binding_index: number;
}

const NONE: readonly HostingAgent[] = [];
/** Servers that may take a binding_index just before this one does, one after the other. */
const BIND_TRIES = 8;

/** The bindings of a kind as a table expression in parentheses, with the columns of `AgentBinding`. */
export function bindingsOf({ bindings: { table, resource, agent } }: HostingKind): RawBuilder<AgentBinding> {
  const columns = sql`${sql.ref(resource)} as resource_id, ${sql.ref(agent)} as agent_id, binding_index`;
  return sql<AgentBinding>`(select ${columns} from ${sql.table(table)})`;
}

/** Returns the agents of each resource that has any, by resource, in the order of their binding_index. */
export async function hostingAgents(
  db: Queries,
  config: Config,
  kind: HostingKind,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly HostingAgent[]>> {
  if (ids.length === 0) return new Map();
  const oldest = oldestHeartbeat(config);
  const rows = await db
    .selectFrom(bindingsOf(kind).as('b'))
    .innerJoin('agents', 'agents.id', 'b.agent_id')
    .select(['b.resource_id', 'agents.id', 'agents.host', 'agents.availability_zone'])
    .select(['agents.admin_state_up', 'agents.heartbeat_timestamp'])
    .where('b.resource_id', 'in', [...ids])
    .orderBy('b.binding_index')
    .execute();
  const agents = new Map<string, readonly HostingAgent[]>();
  for (const row of rows) {
    const agent: HostingAgent = {
      id: row.id,
      host: row.host,
      availabilityZone: row.availability_zone,
      enabled: row.admin_state_up >= leastAdminState(config),
      alive: row.heartbeat_timestamp >= oldest,
    };
    agents.set(row.resource_id, [...(agents.get(row.resource_id) ?? NONE), agent]);
  }
  return agents;
}

/** Returns the ids of what an agent hosts, in order. */
export async function hostedBy(db: Queries, kind: HostingKind, agentId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom(bindingsOf(kind).as('b'))
    .select('b.resource_id')
    .where('b.agent_id', '=', agentId)
    .orderBy('b.resource_id')
    .execute();
  return rows.map((row) => row.resource_id);
}

/** Returns the ids of the agents that host a resource, in the order of their binding_index. */
export async function hostingAgentIds(db: Queries, kind: HostingKind, id: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom(bindingsOf(kind).as('b'))
    .select('b.agent_id')
    .where('b.resource_id', '=', id)
    .orderBy('b.binding_index')
    .execute();
  return rows.map((row) => row.agent_id);
}

/** Whether the agent of a host hosts a resource. */
export async function isHostedOn(db: Queries, kind: HostingKind, id: string, host: string): Promise<boolean> {
  const row = await db
    .selectFrom(bindingsOf(kind).as('b'))
    .innerJoin('agents', 'agents.id', 'b.agent_id')
    .select('b.resource_id')
    .where('b.resource_id', '=', id)
    .where('agents.host', '=', host)
    .where('agents.agent_type', '=', kind.type)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Binds a resource to an agent under its lowest vacant binding_index. `most`: agents that the resource may have; default: any
 * number. `counts`: whether an agent is one of them; default: all are. Returns whether the binding was made: the unique keys decide between servers that bind at the same time.
 */
export async function bind(
  trx: Trx,
  kind: HostingKind,
  id: string,
  agentId: string,
  most = Number.POSITIVE_INFINITY,
  counts: (agentId: string) => boolean = () => true,
): Promise<boolean> {
  const { table, resource, agent } = kind.bindings;
  for (let tries = 0; tries < BIND_TRIES; tries += 1) {
    const rows = await trx
      .selectFrom(bindingsOf(kind).as('b'))
      .select(['b.agent_id', 'b.binding_index'])
      .where('b.resource_id', '=', id)
      .execute();
    if (rows.some((row) => row.agent_id === agentId)) return false;
    if (rows.filter((row) => counts(row.agent_id)).length >= most) return false;
    const taken = new Set(rows.map((row) => row.binding_index));
    let index = 1;
    while (taken.has(index)) index += 1;
    const { numInsertedOrUpdatedRows } = await trx
      .$extendTables<Record<string, Record<string, string | number>>>()
      .insertInto(table)
      .ignore()
      .values({ [resource]: id, [agent]: agentId, binding_index: index })
      .executeTakeFirstOrThrow();
    if ((numInsertedOrUpdatedRows ?? 0n) > 0n) return true;
    // Another server has taken the index meanwhile (its row is visible now), or the resource is gone.
  }
  return false;
}

/** Takes a resource off an agent; returns whether the agent hosted it. */
export async function unbind(trx: Trx, kind: HostingKind, id: string, agentId: string): Promise<boolean> {
  const { table, resource, agent } = kind.bindings;
  const { numAffectedRows } = await sql`
    delete from ${sql.table(table)} where ${sql.ref(resource)} = ${id} and ${sql.ref(agent)} = ${agentId}`.execute(trx);
  return (numAffectedRows ?? 0n) > 0n;
}
