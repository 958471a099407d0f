import { sql } from 'kysely';
import type { Trx } from '../../db/database.ts';
import { ADDRESS_GROUP } from '../../resources/address-group.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { SECURITY_GROUP_RULE } from '../../resources/security-group-rule.ts';
import { presence } from '../../store/listing.ts';
import { bumpRevision, requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import type { Quotas } from '../quotas/limits.ts';
import { enqueueRulesChanged } from '../security-group-events.ts';
import { requireVisible, seesAll } from '../visibility.ts';
import { createForList } from './first-use.ts';
import { checkedMatching, ruleKey } from './matching.ts';
import { insertRule, ownDocument, rulesById } from './rule-rows.ts';
import { requireGroup, visibleRules } from './visible.ts';

type RuleCreate = CreateOf<typeof SECURITY_GROUP_RULE>;

/** Throws for rules that one request may not create: those of several groups or projects, and equal ones. */
function checkTogether(rules: readonly RuleCreate[]): void {
  if (rules.length < 2) return;
  const distinct = (name: 'security_group_id' | 'project_id') => new Set(rules.map((rule) => rule[name])).size;
  if (distinct('security_group_id') > 1) throw neutronError('SecurityGroupNotSingleGroupRules');
  if (distinct('project_id') > 1) throw neutronError('SecurityGroupRulesNotSingleTenant');
  const keys = new Set(rules.map((rule) => ruleKey(checkedMatching(rule))));
  if (keys.size < rules.length) throw neutronError('DuplicateSecurityGroupRuleInPost');
}

/** Returns the error for a rule that the database did not accept. */
async function notInserted(trx: Trx, group: string, key: string) {
  const equal = await trx
    .selectFrom('securitygrouprules')
    .select('id')
    .where('security_group_id', '=', group)
    .where('rule_key', '=', key)
    .executeTakeFirst();
  // Without an equal rule, its group or the remote one was deleted meanwhile.
  return equal
    ? neutronError('SecurityGroupRuleExists', { rule: equal.id })
    : neutronError('SecurityGroupNotFound', { id: group });
}

/** Security group rules. */
export const securityGroupRuleModule = (core: Core, quotas: Quotas): ResourceModule<typeof SECURITY_GROUP_RULE> => ({
  resource: SECURITY_GROUP_RULE,
  conditions: {
    belongs_to_default_sg: presence(
      sql`exists (select 1 from default_security_group d where d.security_group_id = securitygrouprules.security_group_id)`,
    ),
  },
  visible: visibleRules,
  load: rulesById,
  prepareList: (caller, query) => createForList(core, quotas, caller, query),
  checkTogether,
  async create(trx, caller, values) {
    const matching = checkedMatching(values);
    const { remote_group_id: remote, remote_address_group_id: addresses } = matching;
    if (remote !== null) await requireGroup(trx, caller, remote);
    if (addresses !== null) await requireVisible(trx, caller, ADDRESS_GROUP, addresses);
    const group = await requireGroup(trx, caller, values.security_group_id);
    // Whoever may use a shared group may not open it for the ports of its owner.
    if (!seesAll(caller) && group.project_id !== caller.projectId)
      throw neutronError('PolicyNotAuthorized', { action: 'create_security_group_rule' });
    const { security_group_id, project_id, description } = values;
    const rule = { ...matching, security_group_id, project_id, description };
    const made = await insertRule(trx, rule, group.default_of !== null);
    if (!made) throw await notInserted(trx, security_group_id, ruleKey(matching));
    await bumpRevision(trx, group.standard_attr_id);
    await enqueueRulesChanged(trx, [security_group_id]);
    return ownDocument(made);
  },
  async update(trx, _caller, id) {
    const rule = (await rulesById(trx, [id])).get(id);
    if (!rule) throw neutronError('SecurityGroupRuleNotFound', { id });
    return rule;
  },
  async delete(trx, _caller, id, revision) {
    const rule = await core.db
      .locked(
        trx
          .selectFrom('securitygrouprules as r')
          .innerJoin('securitygroups as g', 'g.id', 'r.security_group_id')
          .select(['r.standard_attr_id as attr', 'g.standard_attr_id as group', 'g.id as group_id'])
          .where('r.id', '=', id),
      )
      .executeTakeFirst();
    if (!rule) throw neutronError('SecurityGroupRuleNotFound', { id });
    await requireRevision(trx, rule.attr, revision);
    await trx.deleteFrom('standardattributes').where('id', '=', rule.attr).execute();
    await bumpRevision(trx, rule.group);
    await enqueueRulesChanged(trx, [rule.group_id]);
  },
});
