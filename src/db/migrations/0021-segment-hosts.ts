import type { Migration } from './migration.ts';
import { createTable } from './tables.ts';

/** Which hosts reach which segments (routed provider networks). */
export const segmentHosts: Migration = {
  name: '0021-segment-hosts',
  async up(db, dialect) {
    await createTable(db, dialect, 'segmenthostmappings', {
      columns: { segment_id: 'uuid', host: 'name' },
      primary: ['segment_id', 'host'],
      references: { segment_id: { to: 'networksegments', onDelete: 'cascade' } },
      indexes: [['host']],
    });
  },
};
