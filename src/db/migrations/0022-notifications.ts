import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Notifications of changes (oslo.messaging) that have not yet been sent. */
export const notifications: Migration = {
  name: '0022-notifications',
  async up(db, dialect) {
    const mysql = dialect === 'mysql';
    const text = mysql ? sql`longtext` : 'text';
    const table = db.schema
      .createTable('notifications')
      .ifNotExists()
      .addColumn('id', mysql ? 'bigint' : 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('message_id', 'varchar(36)', (c) => c.notNull())
      .addColumn('event_type', 'varchar(255)', (c) => c.notNull())
      .addColumn('context', text, (c) => c.notNull())
      .addColumn('payload', text, (c) => c.notNull())
      .addColumn('timestamp', 'varchar(26)', (c) => c.notNull());
    await (mysql ? table.modifyEnd(sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin`) : table).execute();
  },
};
