import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Events about ports that Nova has not yet been notified of. */
export const novaEvents: Migration = {
  name: '0018-nova-events',
  async up(db, dialect) {
    const mysql = dialect === 'mysql';
    const table = db.schema
      .createTable('novaevents')
      .ifNotExists()
      .addColumn('id', mysql ? 'bigint' : 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('port_id', 'varchar(36)', (c) => c.notNull())
      .addColumn('server_uuid', 'varchar(255)', (c) => c.notNull())
      .addColumn('name', 'varchar(64)', (c) => c.notNull())
      .addColumn('status', 'varchar(16)')
      .addColumn('created_at', 'varchar(19)', (c) => c.notNull());
    await (mysql ? table.modifyEnd(sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin`) : table).execute();
  },
};
