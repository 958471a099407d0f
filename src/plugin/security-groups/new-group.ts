import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import { SECURITY_GROUP } from '../../resources/security-group.ts';
import { type NestedRule, SECURITY_GROUP_RULE } from '../../resources/security-group-rule.ts';
import { ETHERTYPES, PARENT } from '../../resources/security-group-types.ts';
import { insertPlain } from '../../store/rows.ts';
import { newStandard } from '../../store/standard-attributes.ts';
import type { Quotas } from '../quotas/limits.ts';
import { ruleKey } from './matching.ts';
import { insertRule, type NewRule } from './rule-rows.ts';

/** A group to create. */
interface NewGroup {
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly stateful: boolean;
}

/** Returns the rules that a new group starts with. */
async function startingRules(trx: Trx, id: string, project: string, isDefault: boolean): Promise<readonly NewRule[]> {
  const rows = await trx
    .selectFrom('securitygroupdefaultrules as d')
    .leftJoin('securitygroups as g', 'g.id', 'd.remote_group_id')
    .selectAll('d')
    .select('g.id as remote')
    .where(isDefault ? 'd.used_in_default_sg' : 'd.used_in_non_default_sg', '=', 1)
    .execute();
  const rules = rows.flatMap((row): NewRule[] => {
    // The other group may have been deleted.
    const remote = row.remote_group_id === PARENT ? id : row.remote;
    if (row.remote_group_id !== null && remote === null) return [];
    return [
      {
        project_id: project,
        security_group_id: id,
        direction: row.direction === 'ingress' ? 'ingress' : 'egress',
        ethertype: ETHERTYPES.find((name) => name === row.ethertype) ?? 'IPv4',
        protocol: row.protocol,
        port_range_min: row.port_range_min,
        port_range_max: row.port_range_max,
        remote_ip_prefix: row.remote_ip_prefix,
        remote_group_id: remote,
        remote_address_group_id: row.remote_address_group_id,
        description: null,
      },
    ];
  });
  // The order in which documents show them.
  const keyed = rules.map((rule) => [ruleKey(rule), rule] as const);
  return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rule]) => rule);
}

/** Inserts a group with the rules that it starts with, which count against the quota of rules. */
export async function insertGroup(trx: Trx, quotas: Quotas, group: NewGroup, isDefault = false) {
  const id = randomUUID();
  const starting = await startingRules(trx, id, group.project_id, isDefault);
  const counted = { resource: SECURITY_GROUP_RULE };
  if (starting.length > 0) await quotas.reserve(trx, counted, group.project_id, starting.length);
  const { attr, shown } = await insertPlain(trx, SECURITY_GROUP, {
    ...group,
    id,
    tenant_id: group.project_id,
    // Each new rule of a group changes it, the first ones together.
    ...newStandard(1),
  });
  const rules: NestedRule[] = [];
  for (const rule of starting) {
    const inserted = await insertRule(trx, rule, isDefault);
    if (inserted) rules.push(inserted);
  }
  return { id, attr, document: { ...shown, shared: false, security_group_rules: rules, tags: [] } };
}

const findDefault = prepared<{ project: string }, { security_group_id: string }>((db, p) =>
  db.selectFrom('default_security_group').select('security_group_id').where('project_id', '=', p('project')),
);

/** Returns the id of a project's default security group; undefined if it has none yet. */
async function knownDefaultGroup(trx: Trx, projectId: string): Promise<string | undefined> {
  return (await findDefault(trx, { project: projectId })).rows[0]?.security_group_id;
}

/**
 * Returns the id of a project's default security group; creates the group with its rules if the project has none yet. Throws
 * OverQuota if the project may not have these rules, and then has changed nothing.
 */
export async function defaultSecurityGroup(trx: Trx, quotas: Quotas, projectId: string): Promise<string> {
  const known = await knownDefaultGroup(trx, projectId);
  if (known !== undefined) return known;
  const { id, attr } = await insertGroup(
    trx,
    quotas,
    { project_id: projectId, name: 'default', description: 'Default security group', stateful: true },
    true,
  );
  // The key is the project: if two servers create it at once, the second waits here, inserts no row, and uses the first one's.
  await trx
    .insertInto('default_security_group')
    .ignore()
    .values({ project_id: projectId, security_group_id: id })
    .execute();
  const kept = (await knownDefaultGroup(trx, projectId)) ?? id;
  if (kept !== id) await deleteGroup(trx, id, attr);
  return kept;
}

/** Deletes a group, its rules, and the rules of other groups that refer to it. */
export async function deleteGroup(trx: Trx, id: string, attr: number): Promise<void> {
  await trx
    .deleteFrom('standardattributes')
    .where('id', 'in', (rules) =>
      rules
        .selectFrom('securitygrouprules')
        .select('standard_attr_id')
        .where((eb) => eb.or([eb('security_group_id', '=', id), eb('remote_group_id', '=', id)])),
    )
    .execute();
  await trx.deleteFrom('standardattributes').where('id', '=', attr).execute();
}
