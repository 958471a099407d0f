import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Database, Queries, Trx } from './database.ts';

/**
 * Claims on work that only one of several servers on a database may do at a time. They are rows with an expiry rather than locks of
 * the database, because a Galera cluster has no locks across its nodes but lets only one of two writers of a row commit. The clock
 * is the database's, so that the clocks of the servers need not agree.
 */

/** Milliseconds until a claim expires unless it is renewed: the maximum delay for work of a killed server. */
export const CLAIM_MS = 8_000;

/** Whether a claim has expired. One that expires later than any can is left over from before the clock was set back. */
const isExpired = ({ now }: Database): RawBuilder<SqlBool> =>
  sql<SqlBool>`(expires_at < ${now} or expires_at > ${now} + ${2 * CLAIM_MS})`;

const expiry = ({ now }: Database): RawBuilder<number> => sql<number>`${now} + ${CLAIM_MS}`;

/** Returns the work that others than `owner` have claimed. */
export async function claimedByOthers(db: Database, owner: string): Promise<readonly string[]> {
  const rows = await db.kysely
    .selectFrom('workclaims')
    .select('work')
    .where('owner', '<>', owner)
    .where(sql<SqlBool>`not ${isExpired(db)}`)
    .execute();
  return rows.map((row) => row.work);
}

/**
 * Claims pieces of work for an owner and returns those that it has now. Others keep theirs until they release them or
 * the claims expire. Claims are valid from the transaction's commit, for CLAIM_MS.
 */
export async function claimWork(
  db: Database,
  trx: Trx,
  owner: string,
  works: readonly string[],
): Promise<ReadonlySet<string>> {
  if (works.length === 0) return new Set();
  // Sorted, so that two servers that claim the same work wait for each other instead of deadlocking.
  const sorted = [...works].sort();
  const rows = await trx.selectFrom('workclaims').select('work').where('work', 'in', sorted).execute();
  const stale = rows.map((row) => row.work);
  if (stale.length > 0)
    await trx
      .deleteFrom('workclaims')
      .where('work', 'in', stale)
      .where((eb) => eb.or([eb('owner', '=', owner), isExpired(db)]))
      .execute();
  await trx
    .insertInto('workclaims')
    .ignore()
    .values(sorted.map((work) => ({ work, owner, expires_at: expiry(db) })))
    .execute();
  const own = await trx
    .selectFrom('workclaims')
    .select('work')
    .where('work', 'in', sorted)
    .where('owner', '=', owner)
    .execute();
  return new Set(own.map((row) => row.work));
}

/** Extends claims to CLAIM_MS from now; those that another owner has by now are left unchanged. */
export async function renewWork(db: Database, trx: Trx, owner: string, works: readonly string[]): Promise<void> {
  if (works.length === 0) return;
  await trx
    .updateTable('workclaims')
    .set({ expires_at: expiry(db) })
    .where('work', 'in', [...works].sort())
    .where('owner', '=', owner)
    .execute();
}

/** Releases work, so that anyone may claim it at once. */
export async function releaseWork(db: Queries, owner: string, works: readonly string[]): Promise<void> {
  if (works.length === 0) return;
  await db
    .deleteFrom('workclaims')
    .where('work', 'in', [...works].sort())
    .where('owner', '=', owner)
    .execute();
}
