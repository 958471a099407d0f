import type { Migration } from './migration.ts';
import { createTable, OWNED } from './tables.ts';

/** Trunks and their subports. */
export const trunks: Migration = {
  name: '0013-trunks',
  async up(db, dialect) {
    await createTable(db, dialect, 'trunks', {
      ...OWNED,
      columns: { ...OWNED.columns, port_id: 'uuid', admin_state_up: 'flag', status: 'short' },
      // A port cannot be deleted while it is in a trunk.
      references: { ...OWNED.references, port_id: { to: 'ports' } },
      unique: [...OWNED.unique, ['port_id']],
    });
    await createTable(db, dialect, 'subports', {
      columns: { port_id: 'uuid', trunk_id: 'uuid', segmentation_type: 'short', segmentation_id: 'integer' },
      primary: ['port_id'],
      references: { port_id: { to: 'ports' }, trunk_id: { to: 'trunks', onDelete: 'cascade' } },
      unique: [['trunk_id', 'segmentation_type', 'segmentation_id']],
    });
  },
};
