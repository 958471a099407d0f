import { randomUUID } from 'node:crypto';
import { type InsertResult, type RawBuilder, sql } from 'kysely';
import type { Queries, Trx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { SecurityGroupRules } from '../../db/schema.ts';
import type { NestedRule, RuleDocument } from '../../resources/security-group-rule.ts';
import { groupBy } from '../../store/listing.ts';
import { insertStandardAttributes, newStandard } from '../../store/standard-attributes.ts';
import { type Matching, normalizedCidr, ruleKey } from './matching.ts';

const IN_DEFAULT = { belongs_to_default_sg: true } as const;

/** A rule to insert. */
export interface NewRule extends Matching {
  readonly project_id: string;
  readonly security_group_id: string;
  readonly description: string | null;
}

const insert = prepared<SecurityGroupRules, InsertResult>((db, p) =>
  db
    .insertInto('securitygrouprules')
    .ignore()
    .values({
      id: p('id'),
      project_id: p('project_id'),
      security_group_id: p('security_group_id'),
      direction: p('direction'),
      ethertype: p('ethertype'),
      protocol: p('protocol'),
      port_range_min: p('port_range_min'),
      port_range_max: p('port_range_max'),
      remote_ip_prefix: p('remote_ip_prefix'),
      remote_group_id: p('remote_group_id'),
      remote_address_group_id: p('remote_address_group_id'),
      normalized_cidr: p('normalized_cidr'),
      description: p('description'),
      rule_key: p('rule_key'),
      standard_attr_id: p('standard_attr_id'),
    }),
);

/**
 * Inserts a rule; returns its document, or undefined if its group has an equal rule: the key of the database decides. The caller
 * must then roll back. `ofDefault`: its group is the default group of a project.
 */
export async function insertRule(trx: Trx, rule: NewRule, ofDefault: boolean): Promise<NestedRule | undefined> {
  const attr = await insertStandardAttributes(trx, {
    resource_type: 'securitygrouprules',
    description: '',
    revision_number: 0,
  });
  const row = {
    ...rule,
    id: randomUUID(),
    normalized_cidr: normalizedCidr(rule.remote_ip_prefix),
    rule_key: ruleKey(rule),
    standard_attr_id: attr,
  };
  const { numAffectedRows } = await insert(trx, row);
  if ((numAffectedRows ?? 0n) === 0n) return undefined;
  const { rule_key: _key, ...shown } = row;
  return {
    ...shown,
    tenant_id: rule.project_id,
    ...(ofDefault ? IN_DEFAULT : {}),
    ...newStandard(),
    tags: [],
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Returns a function that formats stored times. It keeps the last one: neighbours in a list were often created in the same second. */
function timeFormat(): (stored: string) => string {
  let last = '';
  let shown = '';
  return (stored) => {
    if (stored !== last) {
      last = stored;
      shown = `${stored.slice(0, 10)}T${stored.slice(11)}Z`;
    }
    return shown;
  };
}

const NO_TAGS: readonly string[] = [];

/**
 * Lists may contain 100,000 rules: one query for many groups, whose rows become the documents. Copying them would take as long as
 * reading them.
 */
async function select(db: Queries, where: RawBuilder<unknown>): Promise<readonly NestedRule[]> {
  const { rows } = await sql<Mutable<NestedRule>>`select r.id, r.project_id, r.project_id as tenant_id,
      r.security_group_id, r.direction, r.ethertype, r.protocol, r.port_range_min, r.port_range_max, r.remote_ip_prefix,
      r.remote_group_id, r.remote_address_group_id, r.normalized_cidr, r.description, r.standard_attr_id,
      s.revision_number, s.created_at, s.updated_at
    from securitygrouprules r
    inner join standardattributes s on s.id = r.standard_attr_id
    where ${where}`.execute(db);
  const time = timeFormat();
  for (const row of rows) {
    row.created_at = time(row.created_at);
    row.updated_at = time(row.updated_at);
    row.tags = NO_TAGS;
  }
  return rows;
}

/** Returns which of the groups are default groups. */
async function defaultsAmong(db: Queries, groups: readonly string[]): Promise<ReadonlySet<string>> {
  if (groups.length === 0) return new Set();
  const rows = await db
    .selectFrom('default_security_group')
    .select('security_group_id')
    .where('security_group_id', 'in', groups)
    .execute();
  return new Set(rows.map((row) => row.security_group_id));
}

const inDefault = (rule: NestedRule): NestedRule => ({ ...rule, ...IN_DEFAULT });

/** Returns rules by id, as their own resource shows them. */
export async function rulesById(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, RuleDocument>> {
  if (ids.length === 0) return new Map();
  const rules = await select(db, sql`r.id in (${sql.join(ids)})`);
  const defaults = await defaultsAmong(db, [...new Set(rules.map((rule) => rule.security_group_id))]);
  return new Map(
    rules.map((rule) => [rule.id, ownDocument(defaults.has(rule.security_group_id) ? inDefault(rule) : rule)]),
  );
}

/** Returns the rules of groups, by group, in the order of what they match. */
export async function rulesOfGroups(
  db: Queries,
  groups: readonly string[],
): Promise<ReadonlyMap<string, readonly NestedRule[]>> {
  if (groups.length === 0) return new Map();
  // The order of the unique key, which finds them.
  const rules = await select(
    db,
    sql`r.security_group_id in (${sql.join(groups)}) order by r.security_group_id, r.rule_key`,
  );
  const byGroup = groupBy(rules, (rule) => rule.security_group_id);
  const defaults = await defaultsAmong(db, groups);
  if (defaults.size === 0) return byGroup;
  return new Map([...byGroup].map(([id, own]) => [id, defaults.has(id) ? own.map(inDefault) : own]));
}

/** Returns the document of a rule as its own resource shows it. */
export function ownDocument({ standard_attr_id: _attr, tags: _tags, ...rule }: NestedRule): RuleDocument {
  return rule;
}
