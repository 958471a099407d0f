import { sql } from 'kysely';
import type { Config } from '../config/options.ts';
import type { Queries, Trx } from '../db/database.ts';
import { bind, hostingAgents } from './bindings.ts';
import { aliveAgents, allowedBy, zonesOf } from './candidates.ts';
import type { Candidate, Scheduler } from './contract.ts';
import { agentsWanted, type HostingKind } from './hosting-kind.ts';

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
  resources: ReadonlyMap<string, readonly { readonly id: string }[]>,
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
  return rows
    .filter(({ id, single }) => (resources.get(id)?.length ?? 0) < agentsWanted(config, kind, single))
    .map(({ id }) => id);
}

/**
 * Binds resources to live, enabled agents until each has the configured number, or no agent is left. Resources that need no agent
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
  const made: NewBinding[] = [];
  for (const { id, name, availability_zone_hints, single } of rows) {
    const most = agentsWanted(config, kind, single);
    const own = hosting.get(id) ?? [];
    const zones = zonesOf(config, availability_zone_hints);
    const candidates = [...load.values()].filter(
      (agent) => allowedBy(zones, agent) && !own.some((one) => one.id === agent.id),
    );
    for (const agent of scheduler.choose(candidates, own, most - own.length)) {
      if (!(await bind(trx, kind, id, agent.id, most))) continue;
      load.set(agent.id, { ...agent, load: agent.load + 1 });
      made.push({ resourceId: id, name, agent });
    }
  }
  return made;
}
