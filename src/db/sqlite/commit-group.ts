import { setImmediate as afterThisTurn } from 'node:timers';
import { CompiledQuery } from 'kysely';
import type { Trx } from '../database.ts';

/** Maximum members of a group: while a group runs, nothing else in the process does. */
const MOST_MEMBERS = 32;

type RunTransaction = <T>(work: (trx: Trx) => Promise<T>) => Promise<T>;

interface Member {
  readonly work: (trx: Trx) => Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A member's error has rolled back the whole transaction, with what the others had written (as a full disk does). */
class GroupUndone extends Error {}

/**
 * Makes transactions requested in the same turn of the event loop share one COMMIT, and so one wait for the disk, which is most
 * of the cost of a small transaction. They run sequentially, each in its own savepoint: one that fails rolls back
 * only its own writes. No promise settles before the COMMIT. A group that is rolled back as a whole runs again as separate
 * transactions, so that none fails because of another's error. `run` runs one transaction.
 */
export function groupCommits(run: RunTransaction): RunTransaction {
  const waiting: Member[] = [];
  let running = false;

  async function runWaiting(): Promise<void> {
    while (waiting.length > 0) await runGroup(run, waiting.splice(0, MOST_MEMBERS));
    running = false;
  }

  return <T>(work: (trx: Trx) => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      waiting.push({ work, resolve: resolve as (result: unknown) => void, reject });
      if (running) return;
      running = true;
      // By then every request that arrived together with this one is queued.
      afterThisTurn(() => void runWaiting());
    });
}

/** Runs members and settles the promise of each; never throws. */
async function runGroup(run: RunTransaction, members: readonly Member[]): Promise<void> {
  if (members.length === 1) return runAlone(run, members);
  try {
    const outcomes = await run((trx) => runMembers(trx, members));
    for (const tell of outcomes) tell();
  } catch (error) {
    if (error instanceof GroupUndone) await runAlone(run, members);
    else for (const { reject } of members) reject(error);
  }
}

async function runAlone(run: RunTransaction, members: readonly Member[]): Promise<void> {
  for (const { work, resolve, reject } of members) await run(work).then(resolve, reject);
}

/** Runs each member; returns the functions that settle their promises after the COMMIT. */
async function runMembers(trx: Trx, members: readonly Member[]): Promise<readonly (() => void)[]> {
  const outcomes: (() => void)[] = [];
  for (const { work, resolve, reject } of members) {
    await trx.executeQuery(SAVEPOINT);
    try {
      const result = await work(trx);
      outcomes.push(() => resolve(result));
    } catch (error) {
      await undo(trx, error);
      outcomes.push(() => reject(error));
    }
    await trx.executeQuery(RELEASE);
  }
  return outcomes;
}

async function undo(trx: Trx, cause: unknown): Promise<void> {
  try {
    await trx.executeQuery(UNDO);
  } catch {
    // The savepoint no longer exists.
    throw new GroupUndone('the transaction was undone as a whole', { cause });
  }
}

const SAVEPOINT = CompiledQuery.raw('savepoint member');
const UNDO = CompiledQuery.raw('rollback to member');
const RELEASE = CompiledQuery.raw('release member');
