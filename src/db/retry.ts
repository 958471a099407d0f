import { setTimeout as sleep } from 'node:timers/promises';
import { neutronError } from '../resources/errors.ts';
import type { Queries, Trx } from './database.ts';

/** How long a transaction that others keep undoing is tried again unless told otherwise. */
export const GIVE_UP_AFTER_MS = 30_000;

/**
 * Runs `work` in a transaction, again while `retriable` says that the database undid it for a reason that passes
 * (a lock held by another process, a deadlock). Throws ServiceUnavailable, caused by the last error, when that has
 * gone on for `giveUpAfterMs`.
 */
export async function runTransaction<T>(
  db: Queries,
  work: (trx: Trx) => Promise<T>,
  retriable: (error: unknown) => boolean,
  giveUpAfterMs: number = GIVE_UP_AFTER_MS,
): Promise<T> {
  const deadline = Date.now() + giveUpAfterMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (!retriable(error)) throw error;
      if (Date.now() >= deadline) {
        const reason = `The database stayed locked by others for ${giveUpAfterMs / 1000} s; try again.`;
        throw Object.assign(neutronError('ServiceUnavailable', { reason }), { cause: error });
      }
      // Jitter, so that two processes do not meet again at the same moment.
      await sleep(Math.random() * Math.min(100, 2 ** Math.min(attempt, 7)));
    }
  }
}
