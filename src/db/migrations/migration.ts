import type { Kysely } from 'kysely';
import type { DialectName } from '../database.ts';

/** One step of the schema. `up` runs once; on SQLite inside a transaction. */
export interface Migration {
  readonly name: string;
  up(db: Kysely<unknown>, dialect: DialectName): Promise<void>;
}
