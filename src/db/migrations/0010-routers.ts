import type { Migration } from './migration.ts';
import { createTable, OWNED } from './tables.ts';

/** Flavors, routers with their ports, routes and agents. */
export const routers: Migration = {
  name: '0010-routers',
  async up(db, dialect) {
    await createTable(db, dialect, 'flavors', {
      columns: { id: 'uuid', name: 'name', description: 'text', enabled: 'flag', service_type: 'name' },
    });
    await createTable(db, dialect, 'serviceprofiles', {
      columns: { id: 'uuid', description: 'text', driver: 'text', enabled: 'flag', metainfo: 'text' },
    });
    await createTable(db, dialect, 'flavorserviceprofilebindings', {
      columns: { service_profile_id: 'uuid', flavor_id: 'uuid' },
      primary: ['flavor_id', 'service_profile_id'],
      // A profile that a flavor has cannot be deleted.
      references: { flavor_id: { to: 'flavors', onDelete: 'cascade' }, service_profile_id: { to: 'serviceprofiles' } },
    });
    await createTable(db, dialect, 'routers', {
      ...OWNED,
      columns: {
        ...OWNED.columns,
        status: 'short',
        admin_state_up: 'flag',
        gw_port_id: 'uuid?',
        flavor_id: 'uuid?',
        enable_snat: 'flag',
      },
      defaults: { enable_snat: 1 },
      references: {
        ...OWNED.references,
        gw_port_id: { to: 'ports', onDelete: 'set null' },
        flavor_id: { to: 'flavors' },
      },
    });
    await createTable(db, dialect, 'router_extra_attributes', {
      columns: {
        router_id: 'uuid',
        distributed: 'flag',
        service_router: 'flag',
        ha: 'flag',
        ha_vr_id: 'integer?',
        availability_zone_hints: 'name',
        enable_default_route_ecmp: 'flag?',
        enable_default_route_bfd: 'flag?',
      },
      primary: ['router_id'],
      defaults: { service_router: 0 },
      references: { router_id: { to: 'routers', onDelete: 'cascade' } },
    });
    await createTable(db, dialect, 'router_ndp_proxy_state', {
      columns: { router_id: 'uuid', enable_ndp_proxy: 'flag' },
      primary: ['router_id'],
      references: { router_id: { to: 'routers', onDelete: 'cascade' } },
    });
    await createTable(db, dialect, 'routerports', {
      columns: { router_id: 'uuid', port_id: 'uuid', port_type: 'name' },
      primary: ['router_id', 'port_id'],
      references: {
        router_id: { to: 'routers', onDelete: 'cascade' },
        port_id: { to: 'ports', onDelete: 'cascade' },
      },
      // A port belongs to one router.
      unique: [['port_id']],
    });
    await createTable(db, dialect, 'routerroutes', {
      columns: { router_id: 'uuid', destination: 'short', nexthop: 'short' },
      primary: ['router_id', 'destination', 'nexthop'],
      references: { router_id: { to: 'routers', onDelete: 'cascade' } },
    });
    await createTable(db, dialect, 'routerl3agentbindings', {
      columns: { router_id: 'uuid', l3_agent_id: 'uuid', binding_index: 'integer' },
      primary: ['router_id', 'l3_agent_id'],
      references: {
        router_id: { to: 'routers', onDelete: 'cascade' },
        l3_agent_id: { to: 'agents', onDelete: 'cascade' },
      },
      unique: [['router_id', 'binding_index']],
    });
  },
};
