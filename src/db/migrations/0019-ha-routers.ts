import type { Migration } from './migration.ts';
import { createTable } from './tables.ts';

/** Networks, VRIDs and ports of highly available routers. */
export const haRouters: Migration = {
  name: '0019-ha-routers',
  async up(db, dialect) {
    await createTable(db, dialect, 'ha_router_networks', {
      columns: { project_id: 'name', network_id: 'uuid' },
      // Neutron's key has both columns, so that two requests at once may make two networks (LP#2016198).
      primary: ['project_id'],
      references: { network_id: { to: 'networks', onDelete: 'cascade' } },
      unique: [['network_id']],
    });
    await createTable(db, dialect, 'ha_router_vrid_allocations', {
      columns: { network_id: 'uuid', vr_id: 'integer' },
      primary: ['network_id', 'vr_id'],
      references: { network_id: { to: 'networks', onDelete: 'cascade' } },
    });
    await createTable(db, dialect, 'ha_router_agent_port_bindings', {
      columns: { port_id: 'uuid', router_id: 'uuid', l3_agent_id: 'uuid', state: 'short' },
      primary: ['port_id'],
      references: {
        port_id: { to: 'ports', onDelete: 'cascade' },
        router_id: { to: 'routers', onDelete: 'cascade' },
        l3_agent_id: { to: 'agents', onDelete: 'cascade' },
      },
      unique: [['router_id', 'l3_agent_id']],
    });
  },
};
