import { sql } from 'kysely';
import type { Config } from '../config/options.ts';
import type { Database, Queries, Trx } from '../db/database.ts';
import { bind, bindingsOf, hostingAgents } from './bindings.ts';
import { allowedBy, zonesOf } from './candidates.ts';
import { agentsWanted, type HostingKind } from './hosting-kind.ts';
import { leastAdminState, oldestHeartbeat } from './liveness.ts';
import { fits, placesOf } from './places.ts';
import { needingAgent } from './schedule.ts';

/** Maximum number of resources looked at in one transaction, so that others get their turn. */
const PAGE = 500;

/** An agent that requests its resources. */
export interface AskingAgent {
  readonly id: string;
  readonly host: string;
  readonly availabilityZone: string | null;
  /** Whether it is alive and enabled, so that it may be given resources. */
  readonly available: boolean;
}

/** Returns the agent of a host; undefined when it is not registered (yet), or disabled and serves nothing. */
export async function agentOfHost(
  db: Queries,
  config: Config,
  { type }: HostingKind,
  host: string,
): Promise<AskingAgent | undefined> {
  const row = await db
    .selectFrom('agents')
    .select(['id', 'availability_zone', 'heartbeat_timestamp', 'admin_state_up'])
    .where('agent_type', '=', type)
    .where('host', '=', host)
    .where('admin_state_up', '>=', leastAdminState(config))
    .executeTakeFirst();
  if (!row) return undefined;
  const available = row.admin_state_up === 1 && row.heartbeat_timestamp >= oldestHeartbeat(config);
  return { id: row.id, host, availabilityZone: row.availability_zone, available };
}

/** Called in the transaction that binds a resource to the agent. */
type Bound = (trx: Trx, resourceId: string) => Promise<void>;

/**
 * Binds resources without an agent to an agent that requests its resources, if the configuration and its state allow it. `bound`: rules
 * of the kind about what else the agent gets.
 */
export async function autoSchedule(
  db: Database,
  config: Config,
  kind: HostingKind,
  agent: AskingAgent,
  page: number = PAGE,
  bound?: Bound,
): Promise<void> {
  if (!config.DEFAULT[kind.options.autoSchedule] || !agent.available) return;
  for (let after: string | undefined = ''; after !== undefined; ) {
    const from: string = after;
    after = await db.transaction((trx) => autoSchedulePage(trx, config, kind, agent, from, page, bound));
  }
}

/**
 * Binds resources with fewer agents than configured to an agent that requests its resources, one page of
 * them after `after`. Returns the id to continue from; undefined when all were seen.
 */
export async function autoSchedulePage(
  trx: Trx,
  config: Config,
  kind: HostingKind,
  agent: Omit<AskingAgent, 'available'>,
  after: string,
  page: number,
  bound: Bound = async () => {},
): Promise<string | undefined> {
  const most = agentsWanted(config, kind, 0);
  const bindings = sql`select count(*) from ${bindingsOf(kind)} b where b.resource_id = hosted.id`;
  const { parts, isDivided } = kind.hosted;
  const vacant = sql<boolean>`(${bindings}) < case when hosted.single = 1 then 1 else ${most} end`;
  const rows = await trx
    .selectFrom(needingAgent(kind).as('hosted'))
    .selectAll()
    .where('hosted.id', '>', after)
    .where(isDivided ? sql<boolean>`(${vacant} or ${isDivided})` : vacant)
    .where(sql<boolean>`(${bindings} and b.agent_id = ${agent.id}) = 0`)
    .orderBy('hosted.id')
    .limit(page)
    .execute();
  const ids = rows.map((row) => row.id);
  const places = await placesOf(trx, kind, ids);
  const hosting = parts ? await hostingAgents(trx, config, kind, ids) : undefined;
  for (const { id, availability_zone_hints, single } of rows) {
    if (!allowedBy(zonesOf(config, availability_zone_hints), agent)) continue;
    for (const place of places(id)) {
      if (!fits(place, agent)) continue;
      const here = new Set(hosting?.get(id)?.flatMap((one) => (fits(place, one) ? [one.id] : [])));
      if (place.hosts && here.size >= agentsWanted(config, kind, single)) continue;
      const counts = (one: string) => !place.hosts || here.has(one);
      if (!(await bind(trx, kind, id, agent.id, agentsWanted(config, kind, single), counts))) continue;
      await bound(trx, id);
      break;
    }
  }
  return rows.length < page ? undefined : rows.at(-1)?.id;
}
