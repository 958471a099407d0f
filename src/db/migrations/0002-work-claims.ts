import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Work that only one of several servers does at a time: the outbox of a network, failover. */
export const workClaims: Migration = {
  name: '0002-work-claims',
  async up(db, dialect) {
    let table = db.schema
      .createTable('workclaims')
      .ifNotExists()
      .addColumn('work', 'varchar(36)', (c) => c.primaryKey())
      .addColumn('owner', 'varchar(36)', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull());
    if (dialect === 'mysql') table = table.modifyEnd(sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin`);
    await table.execute();
  },
};
