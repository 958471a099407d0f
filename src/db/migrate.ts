import { sql } from 'kysely';
import type { Database } from './database.ts';
import { MIGRATIONS } from './migrations/index.ts';

const TABLE = 'neutrino_migrations';

async function applied(db: Database): Promise<readonly string[]> {
  await db.kysely.schema
    .createTable(TABLE)
    .ifNotExists()
    .addColumn('name', 'varchar(255)', (c) => c.primaryKey())
    .execute();
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

/** Brings the schema up to date; safe to run twice and side by side (the step's row is its lock on SQLite's write transaction). */
export async function migrate(db: Database): Promise<void> {
  for (const name of await pendingMigrations(db)) {
    const step = MIGRATIONS.find((m) => m.name === name);
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
