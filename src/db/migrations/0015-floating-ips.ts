import type { Migration } from './migration.ts';
import { createPolicyUses, createTable, OWNED } from './tables.ts';

const STANDARD = { standard_attr_id: { to: 'standardattributes', onDelete: 'cascade' } } as const;
const { name: _, ...UNNAMED } = OWNED.columns;

/** Floating IPs, port forwardings, conntrack helpers, NDP proxies, auto-allocated topologies. */
export const floatingIps: Migration = {
  name: '0015-floating-ips',
  async up(db, dialect) {
    await createTable(db, dialect, 'floatingips', {
      ...OWNED,
      columns: {
        ...UNNAMED,
        floating_ip_address: 'short',
        floating_network_id: 'uuid',
        floating_port_id: 'uuid',
        fixed_port_id: 'uuid?',
        fixed_ip_address: 'short?',
        router_id: 'uuid?',
        last_known_router_id: 'uuid?',
        status: 'short',
      },
      references: {
        ...STANDARD,
        floating_port_id: { to: 'ports', onDelete: 'cascade' },
        // The rules disassociate floating IPs before their internal port or router is deleted.
        fixed_port_id: { to: 'ports' },
        router_id: { to: 'routers' },
      },
      unique: [
        ['standard_attr_id'],
        ['floating_port_id'],
        // A fixed IP has one floating IP on each external network.
        ['floating_network_id', 'fixed_port_id', 'fixed_ip_address'],
      ],
      indexes: [['project_id'], ['fixed_port_id'], ['router_id'], ['floating_ip_address']],
    });
    await createTable(db, dialect, 'portforwardings', {
      columns: {
        id: 'uuid',
        floatingip_id: 'uuid',
        internal_neutron_port_id: 'uuid',
        protocol: 'short',
        internal_ip_address: 'short',
        internal_port_start: 'integer',
        internal_port_end: 'integer',
        external_port_start: 'integer',
        external_port_end: 'integer',
        standard_attr_id: 'bigint',
      },
      references: {
        ...STANDARD,
        floatingip_id: { to: 'floatingips', onDelete: 'cascade' },
        internal_neutron_port_id: { to: 'ports', onDelete: 'cascade' },
      },
      unique: [
        ['standard_attr_id'],
        ['floatingip_id', 'protocol', 'external_port_start', 'external_port_end'],
        ['internal_neutron_port_id', 'protocol', 'internal_ip_address', 'internal_port_start', 'internal_port_end'],
      ],
    });
    await createTable(db, dialect, 'conntrack_helpers', {
      columns: { id: 'uuid', router_id: 'uuid', protocol: 'short', port: 'integer', helper: 'short' },
      references: { router_id: { to: 'routers', onDelete: 'cascade' } },
      unique: [['router_id', 'protocol', 'port', 'helper']],
    });
    await createTable(db, dialect, 'ndp_proxies', {
      ...OWNED,
      columns: { ...OWNED.columns, router_id: 'uuid', port_id: 'uuid', ip_address: 'short' },
      references: {
        ...STANDARD,
        router_id: { to: 'routers', onDelete: 'cascade' },
        port_id: { to: 'ports', onDelete: 'cascade' },
      },
      unique: [['standard_attr_id'], ['router_id', 'ip_address']],
      indexes: [['project_id'], ['port_id']],
    });
    await createTable(db, dialect, 'auto_allocated_topologies', {
      columns: { project_id: 'name', network_id: 'uuid', router_id: 'uuid?' },
      primary: ['project_id'],
      references: {
        network_id: { to: 'networks', onDelete: 'cascade' },
        router_id: { to: 'routers', onDelete: 'set null' },
      },
    });
    await createPolicyUses(db, dialect, 'qos_fip_policy_bindings', { key: 'fip_id', of: 'floatingips' });
    await createPolicyUses(db, dialect, 'qos_router_gw_policy_bindings', { key: 'router_id', of: 'routers' });
  },
};
