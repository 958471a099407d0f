import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import type { Database, Trx } from '../database.ts';
import type { Schema } from '../schema.ts';
import { groupCommits } from './commit-group.ts';
import { NodeSqliteDialect } from './dialect.ts';
import { isBusy } from './errors.ts';
import { transact } from './transaction.ts';

export interface SqliteOptions {
  /** Path of the file, or `:memory:`. */
  readonly path: string;
  /** Whether each commit waits for the disk (synchronous=FULL), so that even a power cut loses nothing; default: true. */
  readonly syncToDisk?: boolean;
  /** How long a transaction waits for the locks of other processes; default: 30 s. */
  readonly giveUpAfterMs?: number;
}

const OPENING_MS = 5000;
const MOST_PAUSE_MS = 20;

/**
 * Opens or creates an SQLite database in WAL mode. Throws when the folder cannot be written.
 * Several processes may have it open: a write transaction waits for another's, briefly in SQLite, then by retrying.
 */
export function openSqlite(options: SqliteOptions): Database {
  if (options.path !== ':memory:') mkdirSync(dirname(options.path), { recursive: true });
  const file = new DatabaseSync(options.path);
  joinWal(file);
  // SQLite waits inside its own call, which blocks this process: so only briefly; the retry does the rest.
  file.exec('pragma busy_timeout = 100');
  file.exec(`pragma synchronous = ${options.syncToDisk === false ? 'normal' : 'full'}`);
  // 16 MB: pages that change often are written to the database file four times less often than by default.
  file.exec('pragma wal_autocheckpoint = 4000');
  file.exec('pragma foreign_keys = on');
  file.exec('pragma temp_store = memory');
  file.exec('pragma cache_size = -65536');
  const kysely = new Kysely<Schema>({ dialect: new NodeSqliteDialect(file) });
  const inGroup = groupCommits((work) => transact(kysely, work, options.giveUpAfterMs));
  const listeners: (() => void)[] = [];
  return {
    kysely,
    dialect: 'sqlite',
    locked: (query) => query,
    now: sql`cast(unixepoch('subsec') * 1000 as integer)`,
    transaction: async <T>(work: (trx: Trx) => Promise<T>): Promise<T> => {
      const result = await inGroup(work);
      for (const listener of listeners) listener();
      return result;
    },
    onCommit: (listener) => void listeners.push(listener),
    close: () => kysely.destroy(),
  };
}

/**
 * Switches a database to WAL mode, or joins the processes that have it open in that mode. The process that creates the file, and
 * the one that closes it last, lock it exclusively for a moment. SQLite waits for them in most places, but not where two that have
 * it open both want the lock (https://sqlite.org/c3ref/busy_handler.html): one fails at once and has to retry.
 */
function joinWal(file: DatabaseSync): void {
  file.exec(`pragma busy_timeout = ${OPENING_MS}`);
  const end = performance.now() + OPENING_MS;
  for (;;) {
    try {
      file.exec('pragma journal_mode = wal');
      // After a read this process counts as one that has it open: no other is the last one any more.
      file.prepare('select count(*) from sqlite_master').get();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MOST_PAUSE_MS * Math.random());
    }
  }
}
