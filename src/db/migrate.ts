import { sql } from 'kysely';
import type { Database } from './database.ts';
import { MIGRATIONS } from './migrations/index.ts';

const TABLE = 'neutrino_migrations';

async function applied(db: Database): Promise<readonly string[]> {
  // In a transaction, so that it waits for whoever else is making it at this moment.
  await db.transaction(async (trx) => {
    await trx.schema
      .createTable(TABLE)
      .ifNotExists()
      .addColumn('name', 'varchar(255)', (c) => c.primaryKey())
      .execute();
  });
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(TABLE)} order by name`.execute(db.kysely);
  return rows.map((row) => row.name);
}

/** Names of the steps that the database still lacks. Throws when it has steps that this version does not know. */
export async function pendingMigrations(db: Database): Promise<readonly string[]> {
  const done = await applied(db);
  const unknown = done.filter((name) => !MIGRATIONS.some((m) => m.name === name));
  if (unknown.length > 0)
    throw new Error(
      `the database has schema steps that this version does not know (${unknown.join(', ')}): it was made by a newer Neutrino`,
    );
  return MIGRATIONS.filter((m) => !done.includes(m.name)).map((m) => m.name);
}

/** Brings the schema up to date; safe to run twice and side by side, and to go on where a killed run stopped. */
export async function migrate(db: Database): Promise<void> {
  if ((await pendingMigrations(db)).length === 0) return;
  if (db.dialect === 'mysql') await underNamedLock(db, () => runPending(db));
  else await runPending(db);
}

async function runPending(db: Database): Promise<void> {
  for (const name of await pendingMigrations(db)) {
    const step = MIGRATIONS.find((m) => m.name === name);
    // On SQLite the write transaction is the lock; on MySQL each statement commits by itself, and steps bear being run again.
    await db.transaction(async (trx) => {
      const { rows } = await sql<{ name: string }>`select name from ${sql.table(TABLE)} where name = ${name}`.execute(
        trx,
      );
      if (rows.length > 0 || !step) return;
      await step.up(trx as never, db.dialect);
      await sql`insert into ${sql.table(TABLE)} (name) values (${name})`.execute(trx);
    });
  }
}

const LOCK = 'neutrino_migrations';
const LOCK_SECONDS = 120;

/** Holds a server-wide lock meanwhile; the server gives it back by itself when the holder dies. */
async function underNamedLock(db: Database, work: () => Promise<void>): Promise<void> {
  await db.kysely.connection().execute(async (connection) => {
    const { rows } = await sql<{ got: number | null }>`select get_lock(${LOCK}, ${LOCK_SECONDS}) as got`.execute(
      connection,
    );
    if (rows[0]?.got !== 1)
      throw new Error(`another process has been migrating the database for over ${LOCK_SECONDS} s`);
    try {
      await work();
    } finally {
      await sql`select release_lock(${LOCK})`.execute(connection);
    }
  });
}
