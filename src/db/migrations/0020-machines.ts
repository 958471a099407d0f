import type { Migration } from './migration.ts';
import { createTable } from './tables.ts';

/** What machines are told as metadata, besides what follows from their ports. */
export const machines: Migration = {
  name: '0020-machines',
  async up(db, dialect) {
    await createTable(db, dialect, 'machines', {
      columns: {
        id: 'uuid',
        project_id: 'name',
        device_id: 'name',
        name: 'name',
        user_data: 'text?',
        public_keys: 'text',
        password: 'text?',
      },
      unique: [['device_id', 'project_id']],
      indexes: [['project_id']],
    });
  },
};
