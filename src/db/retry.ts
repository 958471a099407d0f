import { retry } from '../time/retry.ts';
import type { Queries, Trx } from './database.ts';
import { stayedLocked } from './errors.ts';

/** How long a transaction that others keep undoing is repeated by default. */
export const GIVE_UP_AFTER_MS = 30_000;

/**
 * Runs `work` in a transaction, again while `retriable` says that the database undid it for a reason that passes
 * (a lock held by another process, a deadlock). Throws DatabaseUnavailable, caused by the last error, when that has
 * gone on for `giveUpAfterMs`.
 */
export async function runTransaction<T>(
  db: Queries,
  work: (trx: Trx) => Promise<T>,
  retriable: (error: unknown) => boolean,
  giveUpAfterMs: number = GIVE_UP_AFTER_MS,
): Promise<T> {
  try {
    // Full jitter, so that two processes do not meet again at the same moment.
    return await retry(() => db.transaction().execute(work), {
      firstMs: 1,
      maxMs: 100,
      jitter: 1,
      retriable,
      giveUpAfterMs,
    });
  } catch (error) {
    if (!retriable(error)) throw error;
    throw stayedLocked(giveUpAfterMs, error);
  }
}
