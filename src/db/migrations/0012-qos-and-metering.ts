import type { Migration } from './migration.ts';
import { createEntries, createPolicyUses, createTable, OWNED } from './tables.ts';

const POLICY = { qos_policy_id: { to: 'qos_policies', onDelete: 'cascade' } } as const;

/** QoS policies with their rules and users, and metering labels with their rules. */
export const qosAndMetering: Migration = {
  name: '0012-qos-and-metering',
  async up(db, dialect) {
    await createTable(db, dialect, 'qos_policies', OWNED);
    await createEntries(db, dialect, 'qospolicyrbacs', 'qos_policies');
    await createTable(db, dialect, 'qos_policies_default', {
      columns: { project_id: 'name', qos_policy_id: 'uuid' },
      primary: ['project_id'],
      references: POLICY,
    });
    const rules = {
      qos_bandwidth_limit_rules: { max_kbps: 'integer', max_burst_kbps: 'integer', direction: 'short' },
      qos_minimum_bandwidth_rules: { min_kbps: 'integer', direction: 'short' },
      qos_packet_rate_limit_rules: { max_kpps: 'integer', max_burst_kpps: 'integer', direction: 'short' },
      qos_minimum_packet_rate_rules: { min_kpps: 'integer', direction: 'short' },
    } as const;
    for (const [table, columns] of Object.entries(rules))
      await createTable(db, dialect, table, {
        columns: { id: 'uuid', qos_policy_id: 'uuid', ...columns },
        references: POLICY,
        unique: [['qos_policy_id', 'direction']],
      });
    await createTable(db, dialect, 'qos_dscp_marking_rules', {
      columns: { id: 'uuid', qos_policy_id: 'uuid', dscp_mark: 'integer' },
      references: POLICY,
      unique: [['qos_policy_id']],
    });
    await createPolicyUses(db, dialect, 'qos_port_policy_bindings', { key: 'port_id', of: 'ports' });
    await createPolicyUses(db, dialect, 'qos_network_policy_bindings', { key: 'network_id', of: 'networks' });
    await createTable(db, dialect, 'meteringlabels', {
      columns: { id: 'uuid', project_id: 'name', name: 'name', description: 'text', shared: 'flag' },
      indexes: [['project_id']],
    });
    await createTable(db, dialect, 'meteringlabelrules', {
      columns: {
        id: 'uuid',
        metering_label_id: 'uuid',
        direction: 'short',
        remote_ip_prefix: 'short?',
        source_ip_prefix: 'short?',
        destination_ip_prefix: 'short?',
        excluded: 'flag',
      },
      references: { metering_label_id: { to: 'meteringlabels', onDelete: 'cascade' } },
    });
  },
};
