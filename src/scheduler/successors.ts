import type { Config } from '../config/options.ts';
import type { Queries, Trx } from '../db/database.ts';
import { bindingsOf, type HostingAgent, hostingAgents } from './bindings.ts';
import { aliveAgents, allowedBy, zonesOf } from './candidates.ts';
import type { Candidate, Scheduler } from './contract.ts';
import type { HostingKind } from './hosting-kind.ts';
import { fits, type Place, placesOf } from './places.ts';
import { failingOver, type Hosted, needingAgent } from './schedule.ts';

/** Number of resources per page. */
const PAGE = 500;

/**
 * Yields the resources of an agent that one of `alive` could take over, because it does not already host them, is in a zone that
 * they allow, and can serve the same part of them. Reads pages, in the order of the ids.
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
      .innerJoin(failingOver(kind).as('hosted'), 'hosted.id', 'b.resource_id')
      .select(['hosted.id', 'hosted.availability_zone_hints'])
      .where('b.agent_id', '=', agentId)
      .where('hosted.id', '>', after)
      .orderBy('hosted.id')
      .limit(page)
      .execute();
    const ids = rows.map((row) => row.id);
    const hosting = await hostingAgents(db, config, kind, ids);
    const places = await placesOf(db, kind, ids);
    for (const { id, availability_zone_hints } of rows) {
      const zones = zonesOf(config, availability_zone_hints);
      const own = hosting.get(id) ?? [];
      const left = placesLeft(places(id), own, agentId);
      if (alive.some((agent) => mayTake(agent, zones, own, left))) yield id;
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
  const left = placesLeft((await placesOf(trx, kind, [id]))(id), hosting, agentId);
  const alive = await aliveAgents(trx, config, kind, scheduler.usesLoad);
  const candidates = alive.filter((agent) => mayTake(agent, zones, hosting, left));
  const staying = hosting.filter((agent) => agent.id !== agentId && left.some((place) => fits(place, agent)));
  return scheduler.choose(candidates, staying, 1)[0];
}

/** Returns the places that an agent leaves, where its successor must be. */
function placesLeft(places: readonly Place[], hosting: readonly HostingAgent[], agentId: string): readonly Place[] {
  const leaving = hosting.find((agent) => agent.id === agentId);
  return leaving ? places.filter((place) => fits(place, leaving)) : [];
}

const mayTake = (
  agent: Candidate,
  zones: readonly string[],
  hosting: readonly { readonly id: string }[],
  places: readonly Place[],
): boolean =>
  allowedBy(zones, agent) && places.some((place) => fits(place, agent)) && !hosting.some((one) => one.id === agent.id);
