import { setTimeout as sleep } from 'node:timers/promises';
import type { Queries, Trx } from './database.ts';

const GIVE_UP_AFTER_MS = 30_000;

/**
 * Runs `work` in a transaction, again while `retriable` says that the database undid it for a reason that passes
 * (a lock held by another process, a deadlock). Throws the last error after 30 s of trying.
 */
export async function runTransaction<T>(
  db: Queries,
  work: (trx: Trx) => Promise<T>,
  retriable: (error: unknown) => boolean,
): Promise<T> {
  const deadline = Date.now() + GIVE_UP_AFTER_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (!retriable(error) || Date.now() >= deadline) throw error;
      // Jitter, so that two processes do not meet again at the same moment.
      await sleep(Math.random() * Math.min(100, 2 ** Math.min(attempt, 7)));
    }
  }
}
