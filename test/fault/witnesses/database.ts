import type { Database } from '../../../src/db/database.ts';
import { type DatabaseFacts, TABLES } from '../agreement/facts.ts';

/** Returns the rows of all compared tables. */
export function readDatabase(db: Database): Promise<DatabaseFacts> {
  return db.transaction(async (trx) => {
    const tables: unknown[] = [];
    for (const table of TABLES) tables.push(await trx.selectFrom(table).selectAll().execute());
    return Object.fromEntries(TABLES.map((table, i) => [table, tables[i]])) as unknown as DatabaseFacts;
  });
}
