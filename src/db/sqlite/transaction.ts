import { retry } from '../../time/retry.ts';
import type { Queries, Trx } from '../database.ts';
import { DatabaseUnavailable, stayedLocked } from '../errors.ts';
import { isBusy, isDiskFull } from './errors.ts';

/** A client cannot know that the disk is full, and can try again. */
const DISK_FULL = 'The disk that holds the database is full; nothing was changed.';
const GIVE_UP_AFTER_MS = 30_000;

/**
 * Runs `work` in a transaction, and again as long as locks of other processes undo it. Throws DatabaseUnavailable, caused by the
 * last error, when that has gone on for `giveUpAfterMs`.
 */
export async function transact<T>(
  db: Queries,
  work: (trx: Trx) => Promise<T>,
  giveUpAfterMs: number = GIVE_UP_AFTER_MS,
): Promise<T> {
  try {
    const begin = () => db.transaction().execute(work);
    // Full jitter, so that two processes do not meet again at the same moment.
    return await retry(begin, { firstMs: 1, maxMs: 100, jitter: 1, retriable: isBusy, giveUpAfterMs });
  } catch (error) {
    if (isDiskFull(error)) throw new DatabaseUnavailable(DISK_FULL, error);
    throw isBusy(error) ? stayedLocked(giveUpAfterMs, error) : error;
  }
}
