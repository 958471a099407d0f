import { sql } from 'kysely';
import type { Config } from '../config/options.ts';
import type { Queries } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import { bindingsOf } from './bindings.ts';
import { allowedBy, zonesOf } from './candidates.ts';
import { type HostingKind, isNotified } from './hosting-kind.ts';
import { leastAdminState, oldestHeartbeat } from './liveness.ts';
import { fits, placesOf } from './places.ts';
import type { Hosted } from './schedule.ts';

/** The queries of one kind, compiled once. */
const queries = (kind: HostingKind) => ({
  hosts: prepared<{ id: string; least: number }, { id: string }>((db, p) =>
    db
      .selectFrom(bindingsOf(kind).as('b'))
      .innerJoin('agents', 'agents.id', 'b.agent_id')
      .select('agents.id')
      .where('b.resource_id', '=', p('id'))
      .where('agents.admin_state_up', '>=', p('least'))
      .limit(1),
  ),
  alive: prepared<{ type: string; oldest: string }, { host: string; availability_zone: string | null }>((db, p) =>
    db
      .selectFrom('agents')
      .select(['host', 'availability_zone'])
      .where('agent_type', '=', p('type'))
      .where('admin_state_up', '=', 1)
      .where('heartbeat_timestamp', '>=', p('oldest')),
  ),
  hints: prepared<{ id: string }, { availability_zone_hints: string }>((db, p) =>
    db
      .selectFrom(sql<Hosted>`(${kind.hosted.all})`.as('hosted'))
      .select('hosted.availability_zone_hints')
      .where('hosted.id', '=', p('id')),
  ),
});

const known = new WeakMap<HostingKind, ReturnType<typeof queries>>();

function queriesOf(kind: HostingKind): ReturnType<typeof queries> {
  const own = known.get(kind) ?? queries(kind);
  known.set(kind, own);
  return own;
}

/** Returns whether an enabled agent hosts the resource, alive or not: a dead one requests its resources when it is back. */
export async function isServed(db: Queries, config: Config, kind: HostingKind, id: string): Promise<boolean> {
  return (await queriesOf(kind).hosts(db, { id, least: leastAdminState(config) })).rows.length > 0;
}

/** Returns whether any agent hosts the resource, enabled or not. */
export async function isScheduled(db: Queries, kind: HostingKind, id: string): Promise<boolean> {
  return (await queriesOf(kind).hosts(db, { id, least: 0 })).rows.length > 0;
}

/**
 * Returns whether an agent will report that it serves a new part of the resource (a port of a network): an enabled agent hosts
 * it, or the notification of the change will schedule it to a live one. False if agents are not notified at all. `served`: the
 * result of `isServed`, if it is known already.
 */
export async function willBeServed(
  db: Queries,
  config: Config,
  kind: HostingKind,
  id: string,
  served?: boolean,
): Promise<boolean> {
  if (!isNotified(config, kind)) return false;
  if (served ?? (await isServed(db, config, kind, id))) return true;
  const { alive, hints } = queriesOf(kind);
  const { rows } = await alive(db, { type: kind.type, oldest: oldestHeartbeat(config) });
  if (rows.length === 0) return false;
  const row = (await hints(db, { id })).rows[0];
  const zones = zonesOf(config, row?.availability_zone_hints ?? '[]');
  const places = (await placesOf(db, kind, [id]))(id);
  return rows.some(
    ({ host, availability_zone: availabilityZone }) =>
      allowedBy(zones, { availabilityZone }) && places.some((place) => fits(place, { host })),
  );
}
