import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery, type ControlledTransaction, Kysely, MysqlDialect } from 'kysely';
import { createPool } from 'mysql2';
import { neutronError } from '../../resources/errors.ts';
import type { Database, Trx } from '../database.ts';
import type { Schema } from '../schema.ts';
import { isUndone, isUnreachable } from './errors.ts';
import { preparingPool } from './preparing-pool.ts';
import type { MysqlAddress } from './url.ts';

export interface MysqlOptions {
  readonly address: MysqlAddress;
  /** Connections at most (`[database] max_pool_size`). */
  readonly connections: number;
  /** How long a transaction is tried again while others undo it or the server cannot be reached; 15 s unless told. */
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

/** Runs `work` in a transaction, again while that is safe: only what certainly was not committed is done anew. */
async function transact<T>(db: Kysely<Schema>, work: (trx: Trx) => Promise<T>, giveUpAfterMs: number): Promise<T> {
  const deadline = Date.now() + giveUpAfterMs;
  for (let attempt = 0; ; attempt++) {
    const outcome = await attemptOnce(db, work);
    if ('result' in outcome) return outcome.result;
    const { error, retriable } = outcome;
    if (!retriable || Date.now() >= deadline) throw shownError(error, giveUpAfterMs);
    // Jitter, so that those who undid each other do not meet again at the same moment.
    await sleep(Math.random() * Math.min(MAX_PAUSE_MS, 4 * 2 ** Math.min(attempt, 6)));
  }
}

type Outcome<T> = { readonly result: T } | { readonly error: unknown; readonly retriable: boolean };

async function attemptOnce<T>(db: Kysely<Schema>, work: (trx: Trx) => Promise<T>): Promise<Outcome<T>> {
  let trx: ControlledTransaction<Schema>;
  try {
    trx = await db.startTransaction().execute();
  } catch (error) {
    return { error, retriable: isUnreachable(error) || isUndone(error) };
  }
  let result: T;
  try {
    result = await work(trx as unknown as Trx);
  } catch (error) {
    // A connection that broke has rolled back on the server's side already.
    await trx
      .rollback()
      .execute()
      .catch(() => undefined);
    return { error, retriable: isUndone(error) || isUnreachable(error) };
  }
  try {
    await trx.commit().execute();
    return { result };
  } catch (error) {
    await trx
      .rollback()
      .execute()
      .catch(() => undefined);
    // The connection broke while the commit was under way: whether it was made is not known, so it must not be done twice.
    return { error, retriable: isUndone(error) };
  }
}

function shownError(error: unknown, giveUpAfterMs: number): unknown {
  if (isUnreachable(error)) return unavailable('The database cannot be reached; try again.', error);
  if (isUndone(error))
    return unavailable(`The database stayed locked by others for ${giveUpAfterMs / 1000} s; try again.`, error);
  return error;
}

const unavailable = (reason: string, cause: unknown) =>
  Object.assign(neutronError('ServiceUnavailable', { reason }), { cause });
