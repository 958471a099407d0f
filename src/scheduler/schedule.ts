import { sql } from 'kysely';
import type { Config } from '../config/options.ts';
import type { Queries, Trx } from '../db/database.ts';
import { bind, hostingAgents } from './bindings.ts';
import { aliveAgents, allowedBy, zonesOf } from './candidates.ts';
import type { Candidate, Scheduler } from './contract.ts';
import { agentsWanted, type HostingKind } from './hosting-kind.ts';
import { fits, placesOf } from './places.ts';

/** A new binding of a resource to an agent. */
export interface NewBinding {
  readonly resourceId: string;
  readonly name: string;
  readonly agent: Candidate;
}

/** A hosted resource. */
export interface Hosted {
  readonly id: string;
  readonly name: string;
  readonly availability_zone_hints: string;
  /** 1: it has one agent at most. */
  readonly single: number;
}

/** The resources of a kind that need an agent, as a table expression in parentheses. */
export const needingAgent = ({ hosted: { all, needsAgent } }: HostingKind) => sql<Hosted>`(${all} where ${needsAgent})`;

/** Those of them that failover moves. */
export const failingOver = ({ hosted: { all, needsAgent, redundant } }: HostingKind) =>
  redundant
    ? sql<Hosted>`(${all} where ${needsAgent} and not (${redundant}))`
    : sql<Hosted>`(${all} where ${needsAgent})`;

/** Returns a resource's id and name as logs carry them. */
export async function hostedLabel(
  db: Queries,
  { hosted: { resource, all } }: HostingKind,
  id: string,
): Promise<Readonly<Record<string, string>>> {
  const row = await db
    .selectFrom(sql<Hosted>`(${all})`.as('hosted'))
    .select('hosted.name')
    .where('hosted.id', '=', id)
    .executeTakeFirst();
  return row?.name ? { [resource]: id, name: row.name } : { [resource]: id };
}

/**
 * Returns the resources to which scheduling could add an agent: some candidate is not among their agents. Called before a
 * transaction begins, so that ports created while no agent is alive cost no write.
 */
export async function couldSchedule(
  db: Queries,
  config: Config,
  kind: HostingKind,
  resources: ReadonlyMap<string, readonly Pick<Candidate, 'id' | 'host'>[]>,
): Promise<readonly string[]> {
  const candidates = await aliveAgents(db, config, kind, false);
  const possible = [...resources]
    .filter(([, hosting]) => candidates.some((c) => !hosting.some((agent) => agent.id === c.id)))
    .map(([id]) => id);
  if (possible.length === 0) return [];
  const rows = await db
    .selectFrom(needingAgent(kind).as('hosted'))
    .select(['hosted.id', 'hosted.single'])
    .where('hosted.id', 'in', possible)
    .execute();
  const places = await placesOf(db, kind, possible);
  return rows
    .filter(({ id, single }) =>
      places(id).some((place) => {
        const own = resources.get(id) ?? [];
        const vacant = own.filter((agent) => fits(place, agent)).length < agentsWanted(config, kind, single);
        return vacant && candidates.some((c) => fits(place, c) && !own.some((agent) => agent.id === c.id));
      }),
    )
    .map(({ id }) => id);
}

/**
 * Binds resources to live, enabled agents until each, or each of its parts, has the configured number, or no agent is left. Resources that need no agent
 * are left unbound. Returns the new bindings.
 */
export async function scheduleResources(
  trx: Trx,
  config: Config,
  kind: HostingKind,
  scheduler: Scheduler,
  ids: readonly string[],
): Promise<readonly NewBinding[]> {
  if (ids.length === 0) return [];
  const rows = await trx
    .selectFrom(needingAgent(kind).as('hosted'))
    .selectAll()
    .where('hosted.id', 'in', [...ids])
    .execute();
  const hosting = await hostingAgents(
    trx,
    config,
    kind,
    rows.map((row) => row.id),
  );
  const load = new Map(
    (await aliveAgents(trx, config, kind, scheduler.usesLoad)).map((agent) => [agent.id, agent] as const),
  );
  const places = await placesOf(
    trx,
    kind,
    rows.map((row) => row.id),
  );
  const made: NewBinding[] = [];
  for (const { id, name, availability_zone_hints, single } of rows) {
    const most = agentsWanted(config, kind, single);
    const zones = zonesOf(config, availability_zone_hints);
    const all: Pick<Candidate, 'id' | 'host' | 'availabilityZone'>[] = [...(hosting.get(id) ?? [])];
    for (const place of places(id)) {
      const own = all.filter((agent) => fits(place, agent));
      const candidates = [...load.values()].filter(
        (agent) => fits(place, agent) && allowedBy(zones, agent) && !own.some((one) => one.id === agent.id),
      );
      const here = new Set([...own, ...candidates].map((agent) => agent.id));
      for (const agent of scheduler.choose(candidates, own, most - own.length)) {
        if (!(await bind(trx, kind, id, agent.id, most, (one) => here.has(one) || !place.hosts))) continue;
        load.set(agent.id, { ...agent, load: agent.load + 1 });
        all.push(agent);
        made.push({ resourceId: id, name, agent });
      }
    }
  }
  return made;
}
