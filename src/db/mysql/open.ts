import { CompiledQuery, Kysely, MysqlDialect, sql } from 'kysely';
import { createPool } from 'mysql2';
import type { Database, Trx } from '../database.ts';
import type { Schema } from '../schema.ts';
import { preparingPool } from './preparing-pool.ts';
import { transact } from './transaction.ts';
import type { MysqlAddress } from './url.ts';

export interface MysqlOptions {
  readonly address: MysqlAddress;
  /** Maximum connections of each pool, for transactions and for other queries (`[database] max_pool_size`). */
  readonly connections: number;
  /** Milliseconds for which a transaction is retried while others undo it or the server is unreachable; default: 15 s. */
  readonly giveUpAfterMs?: number;
}

const CONNECT_MS = 5_000;
/** Statements that open every connection. Strict: a value that does not fit is an error instead of being cut. */
const SESSION = [
  'set session transaction isolation level read committed',
  "set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', session innodb_lock_wait_timeout = 10",
];

/**
 * Opens a MariaDB or MySQL database: pools of connections in READ COMMITTED (no gap locks: concurrent creations of ports in one
 * network do not wait for each other). Nothing is connected before the first query, so a server that is down is not an error
 * here.
 */
export function openMysql(options: MysqlOptions): Database {
  const kysely = openPool(options, false);
  const transactions = openPool(options, true);
  const listeners: (() => void)[] = [];
  return {
    kysely,
    dialect: 'mysql',
    locked: (query) => query.forUpdate(),
    // Not of local time, which has an hour twice a year.
    now: sql`(timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000)`,
    async transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
      const result = await transact(transactions, work, options.giveUpAfterMs);
      for (const listener of listeners) listener();
      return result;
    },
    onCommit: (listener) => void listeners.push(listener),
    close: async () => void (await Promise.all([kysely.destroy(), transactions.destroy()])),
  };
}

/**
 * Returns a pool of connections. `transactional`: for transactions only, which then begin without a round trip of their own; on
 * these connections, a query outside of a transaction would begin one that nobody ends.
 */
function openPool({ address, connections }: MysqlOptions, transactional: boolean): Kysely<Schema> {
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
  const session = transactional ? [...SESSION, 'set session autocommit = 0'] : SESSION;
  return new Kysely<Schema>({
    dialect: new MysqlDialect({
      pool: preparingPool(pool, transactional),
      onCreateConnection: async (connection) => {
        for (const statement of session) await connection.executeQuery(CompiledQuery.raw(statement));
      },
    }),
  });
}
