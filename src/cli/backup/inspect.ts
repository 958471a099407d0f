import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Kysely } from 'kysely';
import type { Config } from '../../config/options.ts';
import { SchemaRefused, schemaState } from '../../db/migrate.ts';
import { parseMysqlUrl } from '../../db/mysql/url.ts';
import { databaseFile } from '../../db/open.ts';
import type { Schema } from '../../db/schema.ts';
import { NodeSqliteDialect } from '../../db/sqlite/dialect.ts';
import { CliFailure } from '../process/failure.ts';
import { LOCKED_MS, naming } from './copy.ts';

/** The table that a backup has in addition to the database; it contains the host of the state path. */
export const BACKUP_TABLE = 'neutrino_backup';

/** A summary of a Neutrino database. */
export interface Contents {
  /** For the operator: counts, size, last migration, host. */
  readonly summary: string;
  /** Migrations that it lacks. */
  readonly pending: readonly string[];
  /** Host of the state path that was backed up. */
  readonly host: string | undefined;
}

/** Returns the SQLite file that the configuration names. Throws CliFailure if the database is not a file of SQLite. */
export function sqliteFile(config: Config): string {
  const path = databaseFile(config);
  if (path === ':memory:') throw new CliFailure('[database] connection: the database is in memory; there is no file');
  if (path !== undefined) return path;
  const { database } = parseMysqlUrl(config.database.connection);
  throw new CliFailure(
    'the database is MariaDB or MySQL ([database] connection): back it up with "mariadb-dump --single-transaction ' +
      `${database} > FILE" and restore it with "mariadb ${database} < FILE"`,
  );
}

/**
 * Checks a database file, without changing it, and summarizes its contents. Throws CliFailure, in which the file is called `name`,
 * if the file is missing, damaged, not a Neutrino database, or of a newer version.
 */
export async function inspectDatabase(path: string, name: string = path): Promise<Contents> {
  if (!existsSync(path)) throw new CliFailure(`there is no file ${name}`);
  const stats = statSync(path);
  if (!stats.isFile()) throw new CliFailure(`${name} is not a file`);
  return naming(name, async () => {
    const url = pathToFileURL(path);
    // Without this, SQLite would create a log beside a file in WAL mode.
    if (!existsSync(`${path}-wal`) && !existsSync(`${path}-journal`)) url.searchParams.set('immutable', '1');
    const file = new DatabaseSync(url, { readOnly: true, timeout: LOCKED_MS });
    try {
      return await contentsOf(file, name, stats.size);
    } finally {
      file.close();
    }
  });
}

async function contentsOf(file: DatabaseSync, name: string, bytes: number): Promise<Contents> {
  const first = (query: string) => Object.values(file.prepare(query).get() ?? {})[0];
  const verdict = String(first('pragma integrity_check(1)')).replace(/\s+/g, ' ');
  if (verdict !== 'ok') throw new CliFailure(`${name} is damaged: ${verdict}`);
  const kysely = new Kysely<Schema>({ dialect: new NodeSqliteDialect(file) });
  const { applied, pending } = await schemaState({ kysely, dialect: 'sqlite' }).catch((error: unknown) => {
    throw error instanceof SchemaRefused ? new CliFailure(`${name}: ${error.message}`) : error;
  });
  if (applied.length === 0) {
    throw new CliFailure(
      `${name} is not a database of Neutrino: it has no schema (a plain copy of a database in use lacks what is in its -wal file)`,
    );
  }
  const isBackup = first(`select 1 from sqlite_master where name = '${BACKUP_TABLE}'`) !== undefined;
  const host = isBackup ? first(`select host from ${BACKUP_TABLE}`) : undefined;
  const counts = ['network', 'port'].map((table) => `${first(`select count(*) from ${table}s`)} ${table}(s)`);
  const size = `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const facts = [...counts, size, `schema ${applied.at(-1)}`, ...(host ? [`host ${host}`] : [])];
  return { summary: facts.join(', '), pending, host: typeof host === 'string' ? host : undefined };
}
