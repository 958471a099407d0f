import { CompiledQuery, Kysely, MysqlDialect } from 'kysely';
import { createPool } from 'mysql2';
import { retry } from '../../time/retry.ts';
import type { Database, Trx } from '../database.ts';
import { DatabaseUnavailable, stayedLocked, UNREACHABLE_TEXT } from '../errors.ts';
import type { Schema } from '../schema.ts';
import { isUndone, isUnreachable } from './errors.ts';
import { preparingPool } from './preparing-pool.ts';
import type { MysqlAddress } from './url.ts';

export interface MysqlOptions {
  readonly address: MysqlAddress;
  /** Connections at most (`[database] max_pool_size`). */
  readonly connections: number;
  /** How long a transaction is tried again while others undo it or the server cannot be reached; default: 15 s. */
  readonly giveUpAfterMs?: number;
}

const GIVE_UP_AFTER_MS = 15_000;
const CONNECT_MS = 5_000;
const MAX_PAUSE_MS = 250;
/** What every connection is told first. Strict: a value that does not fit is an error, not a shorter value. */
const SESSION = [
  'set session transaction isolation level read committed',
  "set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', session innodb_lock_wait_timeout = 10",
];

/**
 * Opens a MariaDB or MySQL database: a pool of connections in READ COMMITTED (no gap locks: makers of ports in one network
 * do not wait for each other). Nothing is connected before the first query, so a server that is down is not an error here.
 */
export function openMysql(options: MysqlOptions): Database {
  const { address, connections, giveUpAfterMs = GIVE_UP_AFTER_MS } = options;
  const { socketPath, ...where } = address;
  const pool = createPool({
    ...where,
    ...(socketPath === undefined ? {} : { socketPath }),
    connectionLimit: connections,
    maxIdle: connections,
    idleTimeout: 60_000,
    enableKeepAlive: true,
    connectTimeout: CONNECT_MS,
    // Waiting requests are bounded by the transactions' own time.
    queueLimit: 10_000,
    charset: 'utf8mb4_bin',
    supportBigNumbers: true,
    dateStrings: true,
  });
  const kysely = new Kysely<Schema>({
    dialect: new MysqlDialect({
      pool: preparingPool(pool),
      onCreateConnection: async (connection) => {
        for (const statement of SESSION) await connection.executeQuery(CompiledQuery.raw(statement));
      },
    }),
  });
  const listeners: (() => void)[] = [];
  return {
    kysely,
    dialect: 'mysql',
    locked: (query) => query.forUpdate(),
    async transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
      const result = await transact(kysely, work, giveUpAfterMs);
      for (const listener of listeners) listener();
      return result;
    },
    onCommit: (listener) => void listeners.push(listener),
    close: () => kysely.destroy(),
  };
}

/** Runs `work` in a transaction, and again as long as that is safe: only what certainly was not committed is repeated. */
async function transact<T>(db: Kysely<Schema>, work: (trx: Trx) => Promise<T>, giveUpAfterMs: number): Promise<T> {
  let committing = false;
  const attempt = async (): Promise<T> => {
    committing = false;
    const trx = await db.startTransaction().execute();
    try {
      const result = await work(trx as unknown as Trx);
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
  // A connection that broke during the commit: nobody knows whether it was made, so it must not be repeated.
  const retriable = (error: unknown) => isUndone(error) || (!committing && isUnreachable(error));
  try {
    // Full jitter, so that those who undid each other do not meet again at the same moment.
    return await retry(attempt, { firstMs: 4, maxMs: MAX_PAUSE_MS, jitter: 1, retriable, giveUpAfterMs });
  } catch (error) {
    throw shownError(error, giveUpAfterMs);
  }
}

function shownError(error: unknown, giveUpAfterMs: number): unknown {
  if (isUnreachable(error)) return new DatabaseUnavailable(UNREACHABLE_TEXT, error);
  return isUndone(error) ? stayedLocked(giveUpAfterMs, error) : error;
}
