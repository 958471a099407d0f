import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration.ts';
import { createTable } from './tables.ts';

/** At most one external network is the default one: its key decides. */
export const defaultExternalNetwork: Migration = {
  name: '0016-default-external-network',
  async up(db, dialect) {
    await createTable(db, dialect, 'defaultexternalnetwork', {
      columns: { slot: 'integer', network_id: 'uuid' },
      primary: ['slot'],
      references: { network_id: { to: 'networks', onDelete: 'cascade' } },
    });
    await adoptDefault(db);
  },
};

/** An earlier version allowed several; one of them stays. */
async function adoptDefault(db: Kysely<unknown>): Promise<void> {
  await sql`insert into defaultexternalnetwork (slot, network_id)
    select 1, min(network_id) from externalnetworks where is_default = 1
    and not exists (select 1 from defaultexternalnetwork) having min(network_id) is not null`.execute(db);
  await sql`update externalnetworks set is_default = 0
    where network_id not in (select network_id from defaultexternalnetwork)`.execute(db);
}
