import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { storedTime } from '../../time/stored-time.ts';
import type { Migration } from './migration.ts';
import { createEntries, createIndex, createTable, OWNED } from './tables.ts';

const MATCHING = {
  direction: 'short',
  ethertype: 'short',
  protocol: 'short?',
  port_range_min: 'integer?',
  port_range_max: 'integer?',
  remote_ip_prefix: 'short?',
  remote_group_id: 'uuid?',
  remote_address_group_id: 'uuid?',
} as const;

const ETHERTYPES = ['IPv4', 'IPv6'] as const;

interface Standard {
  readonly resource_type: string;
  readonly description: string;
  readonly revision_number: number;
  readonly created_at: string;
  readonly updated_at: string;
}

type Row = Readonly<Record<string, string | number | null>>;

/** Inserts a row with its standard attributes. */
async function insertRow(db: Kysely<unknown>, table: string, row: Row, description = ''): Promise<void> {
  const now = storedTime(Date.now());
  const tables = db.withTables<{ standardattributes: Standard } & Record<string, Row>>();
  const { insertId } = await tables
    .insertInto('standardattributes')
    .values({ resource_type: table, description, revision_number: 0, created_at: now, updated_at: now })
    .executeTakeFirst();
  await tables
    .insertInto(table)
    .values({ id: randomUUID(), ...row, standard_attr_id: Number(insertId) })
    .execute();
}

/** The rules that Neutron's new groups start with: all traffic leaves, and members of a default group reach each other. */
async function seedDefaultRules(db: Kysely<unknown>): Promise<void> {
  for (const ethertype of ETHERTYPES)
    for (const direction of ['egress', 'ingress'] as const) {
      const remote = direction === 'ingress' ? 'PARENT' : null;
      const key = `${direction} ${ethertype} + + + ${remote ?? '+'} + +`;
      const { rows } = await sql`select 1 from securitygroupdefaultrules where default_key = ${key}`.execute(db);
      if (rows.length > 0) continue;
      await insertRow(
        db,
        'securitygroupdefaultrules',
        {
          direction,
          ethertype,
          remote_group_id: remote,
          used_in_default_sg: 1,
          used_in_non_default_sg: remote === null ? 1 : 0,
          default_key: key,
          non_default_key: remote === null ? key : null,
        },
        `Legacy default SG rule for ${direction} traffic`,
      );
    }
}

/** Adds the rules of default groups that an earlier version created without rules. */
async function addMissingRules(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ id: string; project: string }>`
    select g.id, g.project_id as project from securitygroups g
    where (select count(*) from securitygrouprules r where r.security_group_id = g.id) < 4
    and g.id in (select security_group_id from default_security_group)`.execute(db);
  for (const { id, project } of rows)
    for (const ethertype of ETHERTYPES)
      for (const direction of ['egress', 'ingress'] as const) {
        const remote = direction === 'ingress' ? id : null;
        const key = `${direction} ${ethertype} + + + ${remote ?? '+'} + +`;
        const known = await sql`select 1 from securitygrouprules
          where security_group_id = ${id} and rule_key = ${key}`.execute(db);
        if (known.rows.length === 0)
          await insertRow(db, 'securitygrouprules', {
            project_id: project,
            security_group_id: id,
            direction,
            ethertype,
            remote_group_id: remote,
            rule_key: key,
          });
      }
}

/** Security group rules, the rules that new groups start with, address groups, and the sharing of both kinds of groups. */
export const securityGroupRules: Migration = {
  name: '0008-security-group-rules',
  async up(db, dialect) {
    await createIndex(db, 'default_security_group', ['security_group_id']);
    await createEntries(db, dialect, 'securitygrouprbacs', 'securitygroups');
    await createTable(db, dialect, 'address_groups', OWNED);
    await createTable(db, dialect, 'address_associations', {
      columns: { address_group_id: 'uuid', address: 'short' },
      primary: ['address_group_id', 'address'],
      references: { address_group_id: { to: 'address_groups', onDelete: 'cascade' } },
    });
    await createEntries(db, dialect, 'addressgrouprbacs', 'address_groups');
    await createTable(db, dialect, 'securitygrouprules', {
      columns: {
        id: 'uuid',
        project_id: 'name',
        security_group_id: 'uuid',
        ...MATCHING,
        normalized_cidr: 'short?',
        description: 'name?',
        rule_key: 'name',
        standard_attr_id: 'bigint',
      },
      references: {
        security_group_id: { to: 'securitygroups', onDelete: 'cascade' },
        remote_group_id: { to: 'securitygroups', onDelete: 'cascade' },
        remote_address_group_id: { to: 'address_groups' },
        standard_attr_id: { to: 'standardattributes', onDelete: 'cascade' },
      },
      unique: [['security_group_id', 'rule_key'], ['standard_attr_id']],
      indexes: [['project_id'], ['remote_group_id'], ['remote_address_group_id']],
    });
    await createTable(db, dialect, 'securitygroupdefaultrules', {
      columns: {
        id: 'uuid',
        ...MATCHING,
        used_in_default_sg: 'flag',
        used_in_non_default_sg: 'flag',
        default_key: 'name?',
        non_default_key: 'name?',
        standard_attr_id: 'bigint',
      },
      references: {
        remote_address_group_id: { to: 'address_groups' },
        standard_attr_id: { to: 'standardattributes', onDelete: 'cascade' },
      },
      unique: [['default_key'], ['non_default_key'], ['standard_attr_id']],
    });
    await seedDefaultRules(db);
    await addMissingRules(db);
  },
};
