import { retry } from '../../time/retry.ts';
import type { Queries, Trx } from '../database.ts';
import { DatabaseUnavailable, stayedLocked, UNREACHABLE_TEXT } from '../errors.ts';
import { isOvertaken, isUndone, isUnreachable } from './errors.ts';

const GIVE_UP_AFTER_MS = 15_000;
const MAX_PAUSE_MS = 250;
/** Rules check what they refer to; if the database still disagrees after this many repetitions, they have a bug. */
const MAX_OVERTAKEN = 3;

/** Runs `work` in a transaction, and again as long as that is safe: only what certainly was not committed is repeated. */
export async function transact<T>(
  db: Queries,
  work: (trx: Trx) => Promise<T>,
  giveUpAfterMs: number = GIVE_UP_AFTER_MS,
): Promise<T> {
  let committing = false;
  const attempt = async (): Promise<T> => {
    committing = false;
    const trx = await db.startTransaction().execute();
    try {
      const result = await work(trx);
      committing = true;
      await trx.commit().execute();
      return result;
    } catch (error) {
      // A connection that broke has rolled back on the server's side already.
      await trx
        .rollback()
        .execute()
        .catch(() => undefined);
      throw error;
    }
  };
  // If the connection broke during the commit, it is unknown whether the commit succeeded, so it must not be repeated.
  let overtaken = 0;
  const retriable = (error: unknown) =>
    isUndone(error) || (!committing && isUnreachable(error)) || (isOvertaken(error) && overtaken++ < MAX_OVERTAKEN);
  try {
    // Full jitter, so that those who undid each other do not meet again at the same moment.
    return await retry(attempt, { firstMs: 4, maxMs: MAX_PAUSE_MS, jitter: 1, retriable, giveUpAfterMs });
  } catch (error) {
    throw reportedError(error, giveUpAfterMs);
  }
}

function reportedError(error: unknown, giveUpAfterMs: number): unknown {
  if (isUnreachable(error)) return new DatabaseUnavailable(UNREACHABLE_TEXT, error);
  return isUndone(error) ? stayedLocked(giveUpAfterMs, error) : error;
}
