import type { Queries } from '../db/database.ts';
import { neutronError } from '../resources/errors.ts';
import { bindingsOf } from './bindings.ts';
import type { HostingKind } from './hosting-kind.ts';

/** Throws AvailabilityZoneNotFound for the first zone that has no agent of the kind. */
export async function requireZones(db: Queries, { type }: HostingKind, zones: readonly string[]): Promise<void> {
  for (const zone of zones) {
    const known = await db
      .selectFrom('agents')
      .select('id')
      .where('availability_zone', '=', zone)
      .where('agent_type', '=', type)
      .limit(1)
      .executeTakeFirst();
    if (!known) throw neutronError('AvailabilityZoneNotFound', { zone });
  }
}

/** Returns the availability zones of the agents that host each resource, in order. */
export async function servingZones(
  db: Queries,
  kind: HostingKind,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await db
    .selectFrom(bindingsOf(kind).as('b'))
    .innerJoin('agents', 'agents.id', 'b.agent_id')
    .select(['b.resource_id', 'agents.availability_zone'])
    .distinct()
    .where('b.resource_id', 'in', [...ids])
    .execute();
  const zones = new Map<string, string[]>();
  for (const { resource_id: id, availability_zone } of rows) {
    if (availability_zone === null) continue;
    zones.set(id, [...(zones.get(id) ?? []), availability_zone].sort());
  }
  return zones;
}
