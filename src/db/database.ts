import type { Kysely, RawBuilder, Transaction } from 'kysely';
import type { Schema } from './schema.ts';

export type DialectName = 'sqlite' | 'mysql';

/** What runs queries: the database itself, or a transaction of it. */
export type Queries = Kysely<Schema>;
export type Trx = Transaction<Schema>;

/** A database of either dialect. */
export interface Database {
  readonly kysely: Queries;
  readonly dialect: DialectName;
  /**
   * Runs `work` in one transaction, and again (bounded) when another process's lock or a deadlock undid it. Throws
   * DatabaseUnavailable.
   */
  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /**
   * The query with a lock on its rows until the transaction ends (FOR UPDATE), where the dialect has row locks. SQLite's
   * transactions have the whole database to themselves.
   */
  locked<Q extends { forUpdate(): Q }>(query: Q): Q;
  /** The database's clock in a query: milliseconds since 1970. */
  readonly now: RawBuilder<number>;
  /** Calls back after each commit of a transaction that has written to the outbox or the like; cheap listeners only. */
  onCommit(listener: () => void): void;
  close(): Promise<void>;
}
