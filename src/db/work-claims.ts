import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { DialectName, Queries, Trx } from './database.ts';

/**
 * Claims of work that one of several servers on a database does at a time. Rows with an expiry rather than locks of the
 * database: a Galera cluster has no locks across its nodes, but lets only one of two writers of a row commit. The clock is the
 * database's, so that the servers' own need not agree.
 */

/** How long a claim holds unless it is renewed: so long the work of a server that was killed waits at most. */
export const CLAIM_MS = 8_000;

/** Now in milliseconds since 1970. MySQL: not of local time, which has an hour twice a year. */
const now = (dialect: DialectName): RawBuilder<number> =>
  dialect === 'mysql'
    ? sql`(timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000)`
    : sql`cast(unixepoch('subsec') * 1000 as integer)`;

/** Whether a claim holds no longer. One that expires later than any could is left over from before the clock was set back. */
function isExpired(dialect: DialectName): RawBuilder<SqlBool> {
  return sql<SqlBool>`(expires_at < ${now(dialect)} or expires_at > ${now(dialect)} + ${2 * CLAIM_MS})`;
}

/** Work that others than `owner` have claimed at the moment. */
export async function claimedByOthers(db: Queries, dialect: DialectName, owner: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('workclaims')
    .select('work')
    .where('owner', '<>', owner)
    .where(sql<SqlBool>`not ${isExpired(dialect)}`)
    .execute();
  return rows.map((row) => row.work);
}

/**
 * Claims pieces of work for an owner; gives those that it has now. Those that others have are theirs until they give them back or
 * the claims expire. They hold from the transaction's commit on, for CLAIM_MS.
 */
export async function claimWork(
  trx: Trx,
  dialect: DialectName,
  owner: string,
  works: readonly string[],
): Promise<ReadonlySet<string>> {
  if (works.length === 0) return new Set();
  // In order, so that two who claim the same work wait for each other instead of deadlocking.
  const sorted = [...works].sort();
  const rows = await trx.selectFrom('workclaims').select('work').where('work', 'in', sorted).execute();
  const stale = rows.map((row) => row.work);
  if (stale.length > 0)
    await trx
      .deleteFrom('workclaims')
      .where('work', 'in', stale)
      .where((eb) => eb.or([eb('owner', '=', owner), isExpired(dialect)]))
      .execute();
  await trx
    .insertInto('workclaims')
    .ignore()
    .values(sorted.map((work) => ({ work, owner, expires_at: sql<number>`${now(dialect)} + ${CLAIM_MS}` })))
    .execute();
  const own = await trx
    .selectFrom('workclaims')
    .select('work')
    .where('work', 'in', sorted)
    .where('owner', '=', owner)
    .execute();
  return new Set(own.map((row) => row.work));
}

/** Lets claims hold for CLAIM_MS from now on; those that another owner has meanwhile are left to him. */
export async function renewWork(
  db: Queries,
  dialect: DialectName,
  owner: string,
  works: readonly string[],
): Promise<void> {
  if (works.length === 0) return;
  await db
    .updateTable('workclaims')
    .set({ expires_at: sql<number>`${now(dialect)} + ${CLAIM_MS}` })
    .where('work', 'in', [...works].sort())
    .where('owner', '=', owner)
    .execute();
}

/** Gives work back, so that anyone may take it at once. */
export async function releaseWork(db: Queries, owner: string, works: readonly string[]): Promise<void> {
  if (works.length === 0) return;
  await db
    .deleteFrom('workclaims')
    .where('work', 'in', [...works].sort())
    .where('owner', '=', owner)
    .execute();
}
