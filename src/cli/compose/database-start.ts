import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import { ConfigError } from '../../config/parse.ts';
import type { Database } from '../../db/database.ts';
import { migrate, SchemaRefused, type SchemaState, schemaState } from '../../db/migrate.ts';
import { isUnreachable } from '../../db/mysql/errors.ts';
import { databaseFile, openDatabase } from '../../db/open.ts';
import { retry } from '../../time/retry.ts';
import { CliFailure } from '../process/failure.ts';

/** Exit code of a process that cannot run on the schema of its database. */
const EXIT_SCHEMA = 3;

/** Pauses between two attempts to reach a database. */
const PAUSES = { firstMs: 200, maxMs: 5_000 };

export interface DatabaseStart {
  readonly log: Logger;
  /** Ends the wait for an unreachable database. */
  readonly stop?: AbortSignal | undefined;
}

/**
 * Waits until the database is reachable, without a time limit, and ensures that its schema is that of this version: an
 * embedded SQLite is upgraded; a database that several servers share must be upgraded by the operator.
 * Throws CliFailure with EXIT_SCHEMA if the schema differs, CliFailure if the database refuses the connection, and AbortError.
 */
export async function startOnSchema(db: Database, embedded: boolean, { log, stop }: DatabaseStart): Promise<void> {
  const { pending } = await whenReachable(() => asCliFailure(schemaState(db)), { log, stop });
  if (pending.length === 0) return;
  if (embedded) {
    await asCliFailure(migrate(db));
    return;
  }
  throw new CliFailure(
    `the database's schema is not current: ${pending.length} step(s) are missing (${pending.join(', ')}); ` +
      'run bin/neutrino db upgrade with the same --config-file',
    EXIT_SCHEMA,
  );
}

/** Opens the database that the configuration names. Throws ConfigError, and SQLite's errors with the `path` of the file. */
export function openConfigured(config: Config): Database {
  try {
    return openDatabase(config);
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof Error)) throw error;
    throw Object.assign(error, { path: databaseFile(config) });
  }
}

async function whenReachable(ask: () => Promise<SchemaState>, { log, stop }: DatabaseStart): Promise<SchemaState> {
  const onFailure = (error: unknown, failures: number) => {
    const why = reasonOf(error);
    if (failures === 1) log.warn(`the database cannot be reached (${why}); retrying`);
    else log.debug({ failures }, `the database cannot be reached (${why})`);
  };
  return retry(
    async (failures) => {
      const state = await ask();
      if (failures > 0) log.info('the database can be reached again');
      return state;
    },
    { ...PAUSES, retriable: isUnreachable, signal: stop, onFailure },
  );
}

// https://mariadb.com/kb/en/mariadb-error-code-reference/
const ACCESS_DENIED = [1044, 1045, 1698, 1142];
const UNKNOWN_DATABASE = 1049;

/** Converts database errors that an operator can fix into CliFailure, whose message is one line. */
export async function asCliFailure<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof SchemaRefused) throw new CliFailure(error.message, EXIT_SCHEMA);
    // The server's message names user, host and database, never the password.
    const { errno, sqlMessage } = (error ?? {}) as { readonly errno?: unknown; readonly sqlMessage?: unknown };
    const said = String(sqlMessage ?? reasonOf(error));
    if (ACCESS_DENIED.includes(Number(errno)))
      throw new CliFailure(`the database refuses: ${said}; check user and password in [database] connection`);
    if (Number(errno) === UNKNOWN_DATABASE)
      throw new CliFailure(
        `the database refuses: ${said}; create it (create database ... character set utf8mb4), or correct [database] connection`,
      );
    throw error;
  }
}

/** Returns why a database cannot be reached, without its password. */
export function reasonOf(error: unknown): string {
  const one = error instanceof AggregateError ? error.errors[0] : error;
  const { message, code } = (one ?? {}) as { readonly message?: unknown; readonly code?: unknown };
  return String(message || code || one);
}
