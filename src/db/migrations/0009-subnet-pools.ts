import type { Migration } from './migration.ts';
import { createEntries, createIndex, createTable, OWNED } from './tables.ts';

/** Subnet pools, what is free in them, and which are the default ones. */
export const subnetPools: Migration = {
  name: '0009-subnet-pools',
  async up(db, dialect) {
    await createTable(db, dialect, 'subnetpools', {
      ...OWNED,
      columns: {
        ...OWNED.columns,
        ip_version: 'integer',
        default_prefixlen: 'integer',
        min_prefixlen: 'integer',
        max_prefixlen: 'integer',
        is_default: 'flag',
        default_quota: 'integer?',
        address_scope_id: 'uuid?',
      },
      references: { ...OWNED.references, address_scope_id: { to: 'addressscopes' } },
      indexes: [...OWNED.indexes, ['address_scope_id']],
    });
    await createTable(db, dialect, 'subnetpoolprefixes', {
      columns: { subnetpool_id: 'uuid', cidr: 'short' },
      primary: ['subnetpool_id', 'cidr'],
      references: { subnetpool_id: { to: 'subnetpools', onDelete: 'cascade' } },
    });
    await createTable(db, dialect, 'subnetpoolfreeprefixes', {
      columns: { subnetpool_id: 'uuid', first_key: 'short', prefixlen: 'integer' },
      primary: ['subnetpool_id', 'first_key'],
      references: { subnetpool_id: { to: 'subnetpools', onDelete: 'cascade' } },
      indexes: [['subnetpool_id', 'prefixlen', 'first_key']],
    });
    await createTable(db, dialect, 'defaultsubnetpools', {
      columns: { ip_version: 'integer', subnetpool_id: 'uuid' },
      primary: ['ip_version'],
      references: { subnetpool_id: { to: 'subnetpools', onDelete: 'cascade' } },
      unique: [['subnetpool_id']],
    });
    await createEntries(db, dialect, 'subnetpoolrbacs', 'subnetpools');
    await createIndex(db, 'subnets', ['subnetpool_id', 'project_id']);
  },
};
