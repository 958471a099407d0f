import { type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely, sql } from 'kysely';
import type { Migration } from './migration.ts';

type Tables = Kysely<unknown>;
type Column = (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;

const required: Column = (c) => c.notNull();
const uuid = 'varchar(36)' as const;
const name = 'varchar(255)' as const;

/** A column that names a row of another table. */
interface Reference {
  readonly column: string;
  readonly table: string;
  /** Whether a row goes with the one it names; else it keeps that from going. */
  readonly cascade: boolean;
}

async function create(
  table: string,
  columns: CreateTableBuilder<string, string>,
  references: readonly Reference[],
  mysql: boolean,
): Promise<void> {
  let builder = columns;
  for (const { column, table: target, cascade } of references)
    builder = builder.addForeignKeyConstraint(
      `fk_${table}_${column}`,
      [column as never],
      target,
      ['id'],
      (constraint) => (cascade ? constraint.onDelete('cascade') : constraint),
    );
  // Names and hints are compared as they are written, as Neutron's tables do on utf8.
  if (mysql) builder = builder.modifyEnd(sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin`);
  await builder.execute();
}

const DUPLICATE_KEY_NAME = 1061;

async function index(db: Tables, table: string, columns: readonly string[]): Promise<void> {
  const statement = db.schema
    .createIndex(`ix_${table}_${columns.join('_')}`)
    .on(table)
    .columns([...columns]);
  try {
    await statement.execute();
  } catch (error) {
    // MySQL has no IF NOT EXISTS here: a run that was killed has made it already.
    if ((error as { errno?: unknown }).errno !== DUPLICATE_KEY_NAME) throw error;
  }
}

/** The tables of networks, subnets, ports, agents and scheduling. */
export const initial: Migration = {
  name: '0001-initial',
  async up(db, dialect) {
    const mysql = dialect === 'mysql';
    let references: Reference[] = [];
    const table = async (t: string, columns: (b: CreateTableBuilder<string>) => CreateTableBuilder<string, string>) => {
      references = [];
      const builder = columns(db.schema.createTable(t).ifNotExists());
      await create(t, builder, references, mysql);
    };
    // As constraints of the table: MySQL reads references of a column and forgets them.
    const referring =
      (target: string, cascade: boolean): Column =>
      (c) => {
        references.push({ column: c.toOperationNode().column.column.name, table: target, cascade });
        return c.notNull();
      };
    const of = (target: string): Column => referring(target, true);
    const keeping = (target: string): Column => referring(target, false);
    /** An id that counts up. */
    const serial: Column = (c) => (mysql ? c.primaryKey().autoIncrement() : c.primaryKey().autoIncrement());
    const serialType = mysql ? ('bigint' as const) : ('integer' as const);
    const attr = 'bigint' as const;

    await table('standardattributes', (t) =>
      t
        .addColumn('id', serialType, serial)
        .addColumn('resource_type', name, required)
        .addColumn('description', name, required)
        .addColumn('revision_number', 'bigint', required)
        .addColumn('created_at', 'varchar(19)', required)
        .addColumn('updated_at', 'varchar(19)', required),
    );
    const owned = (t: CreateTableBuilder<string>) =>
      t
        .addColumn('id', uuid, (c) => c.primaryKey())
        .addColumn('project_id', name, required)
        .addColumn('name', name, required)
        .addColumn('standard_attr_id', attr, (c) => of('standardattributes')(c).unique());

    await table('networks', (t) =>
      owned(t)
        .addColumn('status', 'varchar(16)', required)
        .addColumn('admin_state_up', 'boolean', required)
        .addColumn('mtu', 'integer', required)
        .addColumn('availability_zone_hints', name, required),
    );
    await table('networksegments', (t) =>
      t
        .addColumn('id', uuid, (c) => c.primaryKey())
        .addColumn('network_id', uuid, of('networks'))
        .addColumn('name', name)
        .addColumn('network_type', 'varchar(32)', required)
        .addColumn('physical_network', 'varchar(64)')
        .addColumn('segmentation_id', 'integer')
        .addColumn('segment_index', 'integer', required)
        .addColumn('is_dynamic', 'boolean', required)
        .addColumn('standard_attr_id', attr, (c) => of('standardattributes')(c).unique()),
    );
    await table('networkrbacs', (t) =>
      t
        .addColumn('id', uuid, (c) => c.primaryKey())
        .addColumn('object_id', uuid, of('networks'))
        .addColumn('project_id', name, required)
        .addColumn('target_project', 'varchar(180)', required)
        .addColumn('action', 'varchar(64)', required)
        .addUniqueConstraint('uniq_networkrbacs', ['object_id', 'action', 'target_project'] as never[]),
    );
    await table('externalnetworks', (t) =>
      t
        .addColumn('network_id', uuid, (c) => of('networks')(c).primaryKey())
        .addColumn('is_default', 'boolean', required),
    );
    await table('networksecuritybindings', (t) =>
      t
        .addColumn('network_id', uuid, (c) => of('networks')(c).primaryKey())
        .addColumn('port_security_enabled', 'boolean', required),
    );
    await table('networkdnsdomains', (t) =>
      t.addColumn('network_id', uuid, (c) => of('networks')(c).primaryKey()).addColumn('dns_domain', name, required),
    );

    await table('subnets', (t) =>
      owned(t)
        .addColumn('network_id', uuid, of('networks'))
        .addColumn('ip_version', 'integer', required)
        .addColumn('cidr', 'varchar(64)', required)
        .addColumn('gateway_ip', 'varchar(64)')
        .addColumn('enable_dhcp', 'boolean', required)
        .addColumn('ipv6_ra_mode', 'varchar(16)')
        .addColumn('ipv6_address_mode', 'varchar(16)')
        .addColumn('subnetpool_id', uuid)
        .addColumn('segment_id', uuid),
    );
    await table('ipallocationpools', (t) =>
      t
        .addColumn('id', uuid, (c) => c.primaryKey())
        .addColumn('subnet_id', uuid, of('subnets'))
        .addColumn('first_ip', 'varchar(64)', required)
        .addColumn('last_ip', 'varchar(64)', required),
    );
    await table('dnsnameservers', (t) =>
      t
        .addColumn('subnet_id', uuid, of('subnets'))
        .addColumn('address', 'varchar(128)', required)
        .addColumn('order', 'integer', required)
        .addPrimaryKeyConstraint('pk_dnsnameservers', ['subnet_id', 'address'] as never[]),
    );
    await table('subnetroutes', (t) =>
      t
        .addColumn('subnet_id', uuid, of('subnets'))
        .addColumn('destination', 'varchar(64)', required)
        .addColumn('nexthop', 'varchar(64)', required)
        .addPrimaryKeyConstraint('pk_subnetroutes', ['subnet_id', 'destination', 'nexthop'] as never[]),
    );
    await table('subnet_service_types', (t) =>
      t
        .addColumn('subnet_id', uuid, of('subnets'))
        .addColumn('service_type', name, required)
        .addPrimaryKeyConstraint('pk_subnet_service_types', ['subnet_id', 'service_type'] as never[]),
    );

    await table('ports', (t) =>
      owned(t)
        .addColumn('network_id', uuid, keeping('networks'))
        .addColumn('mac_address', 'varchar(32)', required)
        .addColumn('admin_state_up', 'boolean', required)
        .addColumn('status', 'varchar(16)', required)
        .addColumn('device_id', name, required)
        .addColumn('device_owner', name, required)
        .addColumn('ip_allocation', 'varchar(16)', required)
        .addUniqueConstraint('uniq_ports0network_id0mac_address', ['network_id', 'mac_address'] as never[]),
    );
    await table('ipallocations', (t) =>
      t
        .addColumn('port_id', uuid, of('ports'))
        .addColumn('subnet_id', uuid, keeping('subnets'))
        .addColumn('network_id', uuid, required)
        .addColumn('ip_address', 'varchar(64)', required)
        .addColumn('address_key', 'varchar(32)', required)
        .addPrimaryKeyConstraint('pk_ipallocations', ['subnet_id', 'address_key'] as never[]),
    );
    await table('ml2_port_bindings', (t) =>
      t
        .addColumn('port_id', uuid, of('ports'))
        .addColumn('host', name, required)
        .addColumn('vif_type', 'varchar(64)', required)
        .addColumn('vnic_type', 'varchar(64)', required)
        .addColumn('profile', 'varchar(4095)', required)
        .addColumn('vif_details', 'varchar(4095)', required)
        .addColumn('status', 'varchar(16)', required)
        .addPrimaryKeyConstraint('pk_ml2_port_bindings', ['port_id', 'host'] as never[]),
    );
    await table('ml2_port_binding_levels', (t) =>
      t
        .addColumn('port_id', uuid, of('ports'))
        .addColumn('host', name, required)
        .addColumn('level', 'integer', required)
        .addColumn('driver', 'varchar(64)', required)
        .addColumn('segment_id', uuid, required)
        .addPrimaryKeyConstraint('pk_ml2_port_binding_levels', ['port_id', 'host', 'level'] as never[]),
    );
    await table('portsecuritybindings', (t) =>
      t
        .addColumn('port_id', uuid, (c) => of('ports')(c).primaryKey())
        .addColumn('port_security_enabled', 'boolean', required),
    );
    await table('securitygroups', (t) => owned(t).addColumn('stateful', 'boolean', required));
    await table('default_security_group', (t) =>
      t.addColumn('project_id', name, (c) => c.primaryKey()).addColumn('security_group_id', uuid, of('securitygroups')),
    );
    await table('securitygroupportbindings', (t) =>
      t
        .addColumn('port_id', uuid, of('ports'))
        .addColumn('security_group_id', uuid, keeping('securitygroups'))
        .addPrimaryKeyConstraint('pk_securitygroupportbindings', ['port_id', 'security_group_id'] as never[]),
    );
    await table('allowedaddresspairs', (t) =>
      t
        .addColumn('port_id', uuid, of('ports'))
        .addColumn('mac_address', 'varchar(32)', required)
        .addColumn('ip_address', 'varchar(64)', required)
        .addPrimaryKeyConstraint('pk_allowedaddresspairs', ['port_id', 'mac_address', 'ip_address'] as never[]),
    );
    await table('extradhcpopts', (t) =>
      t
        .addColumn('id', uuid, (c) => c.primaryKey())
        .addColumn('port_id', uuid, of('ports'))
        .addColumn('opt_name', 'varchar(64)', required)
        .addColumn('opt_value', name, required)
        .addColumn('ip_version', 'integer', required)
        .addUniqueConstraint('uniq_extradhcpopts', ['port_id', 'opt_name', 'ip_version'] as never[]),
    );
    await table('portdnses', (t) =>
      t
        .addColumn('port_id', uuid, (c) => of('ports')(c).primaryKey())
        .addColumn('dns_name', name, required)
        .addColumn('dns_domain', name, required),
    );
    await table('portnumaaffinitypolicies', (t) =>
      t
        .addColumn('port_id', uuid, (c) => of('ports')(c).primaryKey())
        .addColumn('numa_affinity_policy', 'varchar(64)', required),
    );
    await table('provisioningblocks', (t) =>
      t
        .addColumn('standard_attr_id', attr, of('standardattributes'))
        .addColumn('entity', 'varchar(255)', required)
        .addPrimaryKeyConstraint('pk_provisioningblocks', ['standard_attr_id', 'entity'] as never[]),
    );
    await table('tags', (t) =>
      t
        .addColumn('standard_attr_id', attr, of('standardattributes'))
        .addColumn('tag', name, required)
        .addPrimaryKeyConstraint('pk_tags', ['standard_attr_id', 'tag'] as never[]),
    );

    await table('agents', (t) =>
      t
        .addColumn('id', uuid, (c) => c.primaryKey())
        .addColumn('agent_type', 'varchar(180)', required)
        .addColumn('binary', name, required)
        .addColumn('topic', name, required)
        .addColumn('host', 'varchar(255)', required)
        .addColumn('availability_zone', name)
        .addColumn('admin_state_up', 'boolean', required)
        .addColumn('created_at', 'varchar(19)', required)
        .addColumn('started_at', 'varchar(19)', required)
        .addColumn('heartbeat_timestamp', 'varchar(19)', required)
        .addColumn('description', name)
        .addColumn('configurations', 'varchar(4095)', required)
        .addColumn('resource_versions', 'varchar(8191)')
        .addColumn('load', 'integer', required)
        .addColumn('resources_synced', 'boolean')
        .addUniqueConstraint('uniq_agents0agent_type0host', ['agent_type', 'host'] as never[]),
    );
    await table('networkdhcpagentbindings', (t) =>
      t
        .addColumn('network_id', uuid, of('networks'))
        .addColumn('dhcp_agent_id', uuid, of('agents'))
        .addColumn('binding_index', 'integer', required)
        .addPrimaryKeyConstraint('pk_networkdhcpagentbindings', ['network_id', 'dhcp_agent_id'] as never[])
        .addUniqueConstraint('uniq_networkdhcpagentbindings0network_id0binding_index', [
          'network_id',
          'binding_index',
        ] as never[]),
    );

    await table('ml2_flat_allocations', (t) => t.addColumn('physical_network', 'varchar(64)', (c) => c.primaryKey()));
    await table('ml2_vlan_allocations', (t) =>
      t
        .addColumn('physical_network', 'varchar(64)', required)
        .addColumn('vlan_id', 'integer', required)
        .addColumn('allocated', 'boolean', required)
        .addPrimaryKeyConstraint('pk_ml2_vlan_allocations', ['physical_network', 'vlan_id'] as never[]),
    );
    await table('ml2_vxlan_allocations', (t) =>
      t.addColumn('vxlan_vni', 'integer', (c) => c.primaryKey()).addColumn('allocated', 'boolean', required),
    );
    await table('outbox', (t) =>
      t
        .addColumn('id', serialType, serial)
        .addColumn('network_id', uuid, required)
        .addColumn('method', 'varchar(64)', required)
        .addColumn('payload', mysql ? sql`mediumtext` : 'text', required)
        .addColumn('created_at', 'varchar(19)', required),
    );

    for (const [t, ...columns] of [
      ['networks', 'project_id'],
      ['networksegments', 'network_id'],
      ['subnets', 'network_id'],
      ['ipallocationpools', 'subnet_id'],
      ['ports', 'device_id'],
      ['ports', 'network_id', 'device_owner'],
      // A page of a network's ports is read in its order, however many there are.
      ['ports', 'network_id', 'id'],
      ['ports', 'project_id'],
      ['ipallocations', 'port_id'],
      ['ipallocations', 'ip_address'],
      ['ml2_port_bindings', 'host'],
      ['securitygroupportbindings', 'security_group_id'],
      ['extradhcpopts', 'port_id'],
      ['networkdhcpagentbindings', 'dhcp_agent_id'],
    ] as const)
      await index(db, t, columns);
  },
};
