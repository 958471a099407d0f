import { randomUUID } from 'node:crypto';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Caller } from '../../auth/contract.ts';
import type { Queries, Trx } from '../../db/database.ts';
import type { Resource, Sharing } from '../../resources/attribute.ts';
import { type Conditions, presence } from '../../store/listing.ts';
import type { View } from '../module.ts';

/**
 * RBAC entries (`networkrbacs`, `subnetpoolrbacs`, ...): a project shares one of its resources with another one, or with all (`*`).
 * The attribute `shared` is true for those with whom it is shared.
 */

/** Target of entries for all projects. */
export const EVERYBODY = '*';

function sharingOf({ name, sharing }: Resource): Sharing {
  if (!sharing) throw new Error(`${name} declares no sharing`);
  return sharing;
}

/**
 * Condition: an entry with the action applies to the caller; default: with any action. `id`: column with the resource's id; default:
 * that of the resource's table.
 */
export function sharedWithCaller(
  resource: Resource,
  { projectId }: Pick<Caller, 'projectId'>,
  action?: string,
  id = `${resource.table}.id`,
): RawBuilder<SqlBool> {
  const { table } = sharingOf(resource);
  const by = action === undefined ? sql`` : sql`and r.action = ${action}`;
  return sql<SqlBool>`exists (select 1 from ${sql.table(table)} r where r.object_id = ${sql.ref(id)}
    and r.target_project in (${sql.join([EVERYBODY, projectId])}) ${by})`;
}

/**
 * Condition for filters by `shared`: shared with all projects or, as in Neutron, with that of the viewer. `id`: as for
 * `sharedWithCaller`.
 */
export const sharedFilter =
  (resource: Resource, id?: string): Conditions[string] =>
  (values, { projectId } = { projectId: '' }) =>
    presence(sharedWithCaller(resource, { projectId }, 'access_as_shared', id))(values);

/** Returns which of the resources are shared with the viewer: with all projects, or with the caller's own. */
export async function sharedAmong(
  db: Queries,
  resource: Resource,
  ids: readonly string[],
  { caller }: View = {},
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const targets = caller === undefined || caller.projectId === '' ? [EVERYBODY] : [EVERYBODY, caller.projectId];
  const { rows } = await sql<{ id: string }>`select distinct object_id as id
    from ${sql.table(sharingOf(resource).table)} where object_id in (${sql.join(ids)})
    and action = 'access_as_shared' and target_project in (${sql.join(targets)})`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** An entry to add. */
export interface RbacEntry {
  readonly objectId: string;
  /** Project that owns the entry. */
  readonly projectId: string;
  readonly target: string;
  readonly action: string;
}

/** Adds an entry; returns its id, or undefined if there is an equal one. `id`: its id; default: a new one. */
export async function addEntry(
  trx: Trx,
  resource: Resource,
  entry: RbacEntry,
  id: string = randomUUID(),
): Promise<string | undefined> {
  const { table } = sharingOf(resource);
  const row = {
    id,
    object_id: entry.objectId,
    project_id: entry.projectId,
    target_project: entry.target,
    action: entry.action,
  };
  const { numInsertedOrUpdatedRows } = await trx
    .withTables<Record<string, typeof row>>()
    .insertInto(table)
    .ignore()
    .values(row)
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n ? id : undefined;
}

/** Shares a resource with all projects. */
export const shareWithAll = (trx: Trx, resource: Resource, objectId: string, projectId: string) =>
  addEntry(trx, resource, { objectId, projectId, target: EVERYBODY, action: 'access_as_shared' });

/** Removes an entry. */
export async function removeEntry(trx: Trx, resource: Resource, id: string): Promise<void> {
  await sql`delete from ${sql.table(sharingOf(resource).table)} where id = ${id}`.execute(trx);
}

/** Removes all entries of a resource with an action. */
export async function removeEntries(trx: Trx, resource: Resource, objectId: string, action: string): Promise<void> {
  await sql`delete from ${sql.table(sharingOf(resource).table)} where object_id = ${objectId}
    and action = ${action}`.execute(trx);
}

/** Removes the entry for all projects with an action; returns whether there was one. */
export async function removeForEverybody(
  trx: Trx,
  resource: Resource,
  objectId: string,
  action = 'access_as_shared',
): Promise<boolean> {
  const { table } = sharingOf(resource);
  const { numAffectedRows } = await sql`delete from ${sql.table(table)} where object_id = ${objectId}
    and action = ${action} and target_project = ${EVERYBODY}`.execute(trx);
  return (numAffectedRows ?? 0n) > 0n;
}

/** Returns the targets of the entries of a resource with an action. */
export async function projectsWithAccess(
  db: Queries,
  resource: Resource,
  objectId: string,
  action: string,
): Promise<ReadonlySet<string>> {
  const { table } = sharingOf(resource);
  const { rows } = await sql<{ target: string }>`select target_project as target from ${sql.table(table)}
    where object_id = ${objectId} and action = ${action}`.execute(db);
  return new Set(rows.map(({ target }) => target));
}
