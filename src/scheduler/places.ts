import { sql } from 'kysely';
import type { Queries } from '../db/database.ts';
import type { HostingKind } from './hosting-kind.ts';

/** Where agents of a resource must be: the whole resource, or one of its parts, has agents on these hosts. */
export interface Place {
  /** Id of the part; undefined: the whole resource. */
  readonly part?: string;
  /** Undefined: any host. */
  readonly hosts: ReadonlySet<string> | undefined;
}

const ANYWHERE: readonly Place[] = [{ hosts: undefined }];

/** Returns whether an agent on the host can serve the place. */
export const fits = ({ hosts }: Place, { host }: { readonly host: string }): boolean => hosts?.has(host) ?? true;

/** Looks up the places of resources; of those whose agents can be anywhere, too. */
export async function placesOf(
  db: Queries,
  { hosted: { parts } }: HostingKind,
  ids: readonly string[],
): Promise<(id: string) => readonly Place[]> {
  if (!parts || ids.length === 0) return () => ANYWHERE;
  const { rows } = await parts(sql.join(ids)).execute(db);
  const places = new Map<string, Map<string, Set<string>>>();
  for (const { resource_id, part_id, host } of rows) {
    const own = places.get(resource_id) ?? new Map<string, Set<string>>();
    places.set(resource_id, own);
    const hosts = own.get(part_id) ?? new Set();
    own.set(part_id, hosts);
    if (host !== null) hosts.add(host);
  }
  return (id) => {
    const own = places.get(id);
    return own ? Array.from(own, ([part, hosts]) => ({ ...(part === '' ? {} : { part }), hosts })) : ANYWHERE;
  };
}

/** Returns which of the resources have several parts, or may have. */
export async function dividedAmong(
  db: Queries,
  { hosted: { all, isDivided } }: HostingKind,
  ids: readonly string[],
): Promise<readonly string[]> {
  if (!isDivided || ids.length === 0) return [];
  const rows = await db
    .selectFrom(sql<{ readonly id: string }>`(${all})`.as('hosted'))
    .select('hosted.id')
    .where('hosted.id', 'in', [...ids])
    .where(isDivided)
    .execute();
  return rows.map(({ id }) => id);
}
