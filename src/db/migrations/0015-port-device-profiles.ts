import type { Migration } from './migration.ts';
import { createTable } from './tables.ts';

/** Cyborg's device profiles of ports. */
export const portDeviceProfiles: Migration = {
  name: '0015-port-device-profiles',
  up: (db, dialect) =>
    createTable(db, dialect, 'portdeviceprofiles', {
      columns: { port_id: 'uuid', device_profile: 'name' },
      primary: ['port_id'],
      references: { port_id: { to: 'ports', onDelete: 'cascade' } },
    }),
};
