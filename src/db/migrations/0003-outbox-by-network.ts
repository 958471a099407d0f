import type { Migration } from './migration.ts';

/**
 * With networks excluded, the outbox is read past all of their rows. SQLite walks this index instead of the rows with their
 * payloads; MySQL skips the excluded ones.
 */
export const outboxByNetwork: Migration = {
  name: '0003-outbox-by-network',
  async up(db, dialect) {
    const index = db.schema.createIndex('ix_outbox_by_network').on('outbox');
    try {
      await index.columns(dialect === 'mysql' ? ['network_id', 'id'] : ['id', 'network_id']).execute();
    } catch (error) {
      // ER_DUP_KEYNAME: MySQL has no IF NOT EXISTS here, and a run that was killed has made it already.
      if ((error as { errno?: unknown }).errno !== 1061) throw error;
    }
  },
};
