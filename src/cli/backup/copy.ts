import { rmSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import type { Config } from '../../config/options.ts';
import { migrate, SchemaRefused, schemaState } from '../../db/migrate.ts';
import { databaseFile } from '../../db/open.ts';
import { openSqlite } from '../../db/sqlite/open.ts';
import { CliFailure } from '../process/failure.ts';

/** More pages than a database has: the copy is made in one step, so that writers meanwhile do not make it start again. */
const ALL_PAGES = 2 ** 31 - 1;

/** SQLITE_NOTADB (https://sqlite.org/rescode.html) */
const NOT_A_DATABASE = 26;

/** What a copied database holds. */
export interface Contents {
  readonly networks: number;
  readonly ports: number;
}

/** Returns the SQLite file that the configuration names. Throws CliFailure when it names MariaDB or MySQL. */
export function sqliteFile(config: Config): string {
  const file = databaseFile(config);
  if (file !== undefined) return file;
  throw new CliFailure(
    'the database is MariaDB or MySQL ([database] connection), which has its own tools: mariadb-dump --single-transaction ' +
      '(or mysqldump) and the mariadb client',
  );
}

/**
 * Copies a database as it is at this moment into a new file, by SQLite's online backup: what is still in the WAL is included, and
 * its writers do not wait. Throws CliFailure when it is damaged or not Neutrino's; then nothing is left of the copy.
 */
export async function copyDatabase(from: string, to: string): Promise<Contents> {
  try {
    await copy(from, to);
    return check(from, to);
  } catch (error) {
    removeDatabase(to);
    throw error;
  }
}

async function copy(from: string, to: string): Promise<void> {
  try {
    const source = new DatabaseSync(from, { readOnly: true });
    try {
      await backup(source, to, { rate: ALL_PAGES });
    } finally {
      source.close();
    }
  } catch (error) {
    if ((error as { readonly errcode?: number }).errcode === NOT_A_DATABASE)
      throw new CliFailure(`${from} is not an SQLite database`);
    throw Object.assign(error as Error, { path: from });
  }
}

function check(from: string, to: string): Contents {
  const database = new DatabaseSync(to);
  try {
    // One file by itself, without a WAL beside it.
    database.exec('pragma journal_mode = delete');
    const [found] = database.prepare('pragma integrity_check(1)').all();
    if (found?.integrity_check !== 'ok') throw new CliFailure(`${from} is damaged: ${found?.integrity_check}`);
    const tables = new Set(
      database
        .prepare('select name from sqlite_master')
        .all()
        .map(({ name }) => name),
    );
    if (!tables.has('neutrino_migrations') || !tables.has('ports'))
      throw new CliFailure(`${from} is not a database of Neutrino`);
    const count = (table: string) => Number(database.prepare(`select count(*) as n from ${table}`).get()?.n);
    return { networks: count('networks'), ports: count('ports') };
  } finally {
    database.close();
  }
}

/** Brings a copied database up to the schema of this version. Throws CliFailure when a newer version made it. */
export async function upgradeCopy(from: string, copied: string): Promise<void> {
  const db = openSqlite({ path: copied });
  try {
    await schemaState(db);
    await migrate(db);
  } catch (error) {
    throw error instanceof SchemaRefused ? new CliFailure(`${from}: ${error.message}`) : error;
  } finally {
    await db.close();
  }
}

/** Removes a database with the files that SQLite keeps beside it. */
export function removeDatabase(file: string): void {
  for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${ending}`, { force: true });
}

/** Returns the contents as messages name them. */
export const contentsText = ({ networks, ports }: Contents): string => `${networks} network(s), ${ports} port(s)`;
