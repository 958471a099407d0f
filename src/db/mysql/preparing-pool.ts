import type { MysqlPool, MysqlPoolConnection } from 'kysely';
import type { Pool, PoolConnection } from 'mysql2';
import { PreparedParameters } from '../prepared.ts';

/**
 * A pool for Kysely whose connections run queries created by `prepared` as prepared statements of the server, which parses
 * each of them once a connection instead of for every port. mysql2 keeps the statements by their text; there are few.
 * `implicit`: whether transactions begin by themselves with their first statement (`autocommit = 0`); `begin` is then not sent.
 */
export function preparingPool(pool: Pool, implicit: boolean): MysqlPool {
  // Kysely knows a connection by its object.
  const known = new WeakMap<PoolConnection, MysqlPoolConnection>();
  return {
    getConnection: (callback) =>
      pool.getConnection((error, raw) => {
        // After an error there is no connection, and Kysely requests none.
        if (error) return callback(error, undefined as never);
        const connection = known.get(raw) ?? preparing(raw, implicit);
        known.set(raw, connection);
        callback(undefined, connection);
      }),
    end: (callback) => pool.end(callback),
  };
}

function preparing(raw: PoolConnection, implicit: boolean): MysqlPoolConnection {
  const plain: MysqlPoolConnection = raw;
  return {
    config: plain.config,
    threadId: plain.threadId,
    connect: (callback) => plain.connect(callback),
    destroy: () => plain.destroy(),
    release: () => plain.release(),
    query(sql: string, parameters: unknown, callback?: Parameters<MysqlPoolConnection['query']>[2]) {
      if (implicit && sql === 'begin' && callback) {
        queueMicrotask(() => callback(null, []));
        return undefined as never;
      }
      if (!(parameters instanceof PreparedParameters) || !callback) return plain.query(sql, parameters, callback);
      raw.execute(sql, Array.from(parameters, asText), (error, result) => callback(error, result as never));
      return undefined as never;
    },
  };
}

/** Numbers as text: mysql2 would send them as DOUBLE, which MySQL refuses behind LIMIT. */
const asText = (value: unknown) => (typeof value === 'number' ? String(value) : (value ?? null)) as string | null;
