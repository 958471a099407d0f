import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Address scopes, and whether ports follow the link state of their uplink. */
export const addressScopes: Migration = {
  name: '0005-address-scopes',
  async up(db, dialect) {
    // Names are compared as they are written, as in the other tables.
    const end = dialect === 'mysql' ? sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin` : sql``;
    await db.schema
      .createTable('addressscopes')
      .ifNotExists()
      .addColumn('id', 'varchar(36)', (c) => c.primaryKey())
      .addColumn('project_id', 'varchar(255)', (c) => c.notNull())
      .addColumn('name', 'varchar(255)', (c) => c.notNull())
      .addColumn('ip_version', 'integer', (c) => c.notNull())
      .addColumn('shared', 'integer', (c) => c.notNull())
      .modifyEnd(end)
      .execute();
    await db.schema
      .createTable('portuplinkstatuspropagation')
      .ifNotExists()
      .addColumn('port_id', 'varchar(36)', (c) => c.primaryKey())
      .addColumn('propagate_uplink_status', 'integer', (c) => c.notNull())
      .addForeignKeyConstraint('fk_portuplinkstatuspropagation_port_id', ['port_id'], 'ports', ['id'], (c) =>
        c.onDelete('cascade'),
      )
      .modifyEnd(end)
      .execute();
  },
};
