import { sql } from 'kysely';
import type { Database, Queries } from './database.ts';
import { MIGRATIONS } from './migrations/index.ts';

const TABLE = 'neutrino_migrations';
/** Table in which stock Neutron records the state of its own schema, whose tables have the same names but other columns. */
const STOCK_TABLE = 'alembic_version';

/** This version does not support the schema of the database; the message names the remedy. */
export class SchemaRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SchemaRefused';
  }
}

/** The state of a database's schema: names of its steps, in order. */
export interface SchemaState {
  readonly applied: readonly string[];
  /** Steps that are missing. */
  readonly pending: readonly string[];
}

/** What has a schema. */
type SchemaOwner = Pick<Database, 'kysely' | 'dialect'>;

async function tablesAmong(db: SchemaOwner, names: readonly string[]): Promise<ReadonlySet<string>> {
  const list = sql.join(names);
  const query =
    db.dialect === 'mysql'
      ? sql<{ name: string }>`select table_name as name from information_schema.tables
                              where table_schema = database() and table_name in (${list})`
      : sql<{ name: string }>`select name from sqlite_master where type = 'table' and name in (${list})`;
  return new Set((await query.execute(db.kysely)).rows.map((row) => row.name));
}

/**
 * Returns the state of the schema and changes nothing. Throws SchemaRefused when the schema has steps that this version does not
 * know, and when it is stock Neutron's own.
 */
export async function schemaState(db: SchemaOwner): Promise<SchemaState> {
  const tables = await tablesAmong(db, [TABLE, STOCK_TABLE]);
  if (!tables.has(TABLE)) {
    if (tables.has(STOCK_TABLE))
      throw new SchemaRefused(
        `the database is stock Neutron's own (it has a table ${STOCK_TABLE}): configure an empty database for Neutrino in ` +
          '[database] connection',
      );
    return { applied: [], pending: MIGRATIONS.map((m) => m.name) };
  }
  const applied = await appliedSteps(db.kysely);
  const unknown = applied.filter((name) => !MIGRATIONS.some((m) => m.name === name));
  if (unknown.length > 0)
    throw new SchemaRefused(
      `the database has schema steps that this version does not know (${unknown.join(', ')}): it was made by a newer ` +
        'Neutrino; run that version',
    );
  return { applied, pending: MIGRATIONS.filter((m) => !applied.includes(m.name)).map((m) => m.name) };
}

async function appliedSteps(db: Queries): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(TABLE)} order by name`.execute(db);
  return rows.map((row) => row.name);
}

/** Returns the names of the missing steps. Throws as `schemaState`. */
export async function pendingMigrations(db: Database): Promise<readonly string[]> {
  return (await schemaState(db)).pending;
}

/**
 * Brings the schema up to date and returns the steps that were missing. Safe to repeat, to run concurrently, and to continue
 * where a killed run stopped. On MySQL it needs two connections.
 */
export async function migrate(db: Database): Promise<readonly string[]> {
  const pending = await pendingMigrations(db);
  if (pending.length === 0) return pending;
  if (db.dialect === 'mysql') await underNamedLock(db, () => runPending(db));
  else await runPending(db);
  return pending;
}

async function runPending(db: Database): Promise<void> {
  // In a transaction, so that it waits for another process that is creating it.
  await db.transaction(async (trx) => {
    await trx.schema
      .createTable(TABLE)
      .ifNotExists()
      .addColumn('name', 'varchar(255)', (c) => c.primaryKey())
      .execute();
  });
  for (const name of await pendingMigrations(db)) {
    const step = MIGRATIONS.find((m) => m.name === name);
    // On SQLite the write transaction is the lock; on MySQL each statement commits on its own, and steps can be repeated.
    await db.transaction(async (trx) => {
      if (!step || (await appliedSteps(trx)).includes(name)) return;
      await step.up(trx as never, db.dialect);
      await sql`insert into ${sql.table(TABLE)} (name) values (${name})`.execute(trx);
    });
  }
}

/** Named after the database, because locks are server-wide. */
const LOCK = sql`concat('neutrino_migrations_', md5(database()))`;
const LOCK_SECONDS = 120;

/** Runs `work` under a server-wide lock, which the server releases automatically if its holder dies. */
async function underNamedLock(db: Database, work: () => Promise<void>): Promise<void> {
  await db.kysely.connection().execute(async (connection) => {
    const { rows } = await sql<{ got: number | null }>`select get_lock(${LOCK}, ${LOCK_SECONDS}) as got`.execute(
      connection,
    );
    if (rows[0]?.got !== 1)
      throw new SchemaRefused(`another process has been migrating the database for over ${LOCK_SECONDS} s`);
    try {
      await work();
    } finally {
      await sql`select release_lock(${LOCK})`.execute(connection);
    }
  });
}
