import type { Config } from '../config/options.ts';
import type { Queries, Trx } from '../db/database.ts';
import { bindingsOf, hostingAgents } from './bindings.ts';
import { aliveAgents, allowedBy, zonesOf } from './candidates.ts';
import type { Candidate, Scheduler } from './contract.ts';
import type { HostingKind } from './hosting-kind.ts';
import { type Hosted, needingAgent } from './schedule.ts';

/** Number of resources per page. */
const PAGE = 500;

/**
 * Yields the resources of an agent that one of `alive` could take over, because it does not already host them and is in a zone
 * that they allow. Reads pages, in the order of the ids.
 */
export async function* resourcesWithSuccessor(
  db: Queries,
  config: Config,
  kind: HostingKind,
  agentId: string,
  alive: readonly Candidate[],
  page: number = PAGE,
): AsyncGenerator<string> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const rows: readonly Omit<Hosted, 'name' | 'single'>[] = await db
      .selectFrom(bindingsOf(kind).as('b'))
      .innerJoin(needingAgent(kind).as('hosted'), 'hosted.id', 'b.resource_id')
      .select(['hosted.id', 'hosted.availability_zone_hints'])
      .where('b.agent_id', '=', agentId)
      .where('hosted.id', '>', after)
      .orderBy('hosted.id')
      .limit(page)
      .execute();
    const ids = rows.map((row) => row.id);
    const hosting = await hostingAgents(db, config, kind, ids);
    for (const { id, availability_zone_hints } of rows) {
      const zones = zonesOf(config, availability_zone_hints);
      if (alive.some((agent) => mayTake(agent, zones, hosting.get(id) ?? []))) yield id;
    }
    after = rows.length < page ? undefined : ids.at(-1);
  }
}

/** Returns the live agent that takes over a resource from another; undefined if none can, or the resource no longer needs one. */
export async function chooseSuccessor(
  trx: Trx,
  config: Config,
  kind: HostingKind,
  scheduler: Scheduler,
  id: string,
  agentId: string,
): Promise<Candidate | undefined> {
  const row = await trx
    .selectFrom(needingAgent(kind).as('hosted'))
    .select('hosted.availability_zone_hints')
    .where('hosted.id', '=', id)
    .executeTakeFirst();
  if (!row) return undefined;
  const zones = zonesOf(config, row.availability_zone_hints);
  const hosting = (await hostingAgents(trx, config, kind, [id])).get(id) ?? [];
  const alive = await aliveAgents(trx, config, kind, scheduler.usesLoad);
  const candidates = alive.filter((agent) => mayTake(agent, zones, hosting));
  const staying = hosting.filter((agent) => agent.id !== agentId);
  return scheduler.choose(candidates, staying, 1)[0];
}

const mayTake = (agent: Candidate, zones: readonly string[], hosting: readonly { readonly id: string }[]): boolean =>
  allowedBy(zones, agent) && !hosting.some((one) => one.id === agent.id);
