import { randomUUID } from 'node:crypto';
import type { Queries, Trx } from '../../db/database.ts';
import { ADDRESS_GROUP } from '../../resources/address-group.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { DEFAULT_SECURITY_GROUP_RULE } from '../../resources/default-security-group-rule.ts';
import { neutronError } from '../../resources/errors.ts';
import { PARENT } from '../../resources/security-group-types.ts';
import { deletePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import { insertStandardAttributes, requireRevision } from '../../store/standard-attributes.ts';
import { inserted, type ResourceModule } from '../module.ts';
import { requireVisible } from '../visibility.ts';
import { checkedMatching, ruleKey } from './matching.ts';
import { requireGroup } from './visible.ts';

type DefaultRule = DocumentOf<typeof DEFAULT_SECURITY_GROUP_RULE>;

const load = async (db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, DefaultRule>> =>
  new Map((await selectPlain(db, DEFAULT_SECURITY_GROUP_RULE, ids)).map(({ id, shown }) => [id, shown]));

/** Returns the id of the rule that is used in the same groups and matches the same. */
async function equalRule(trx: Trx, key: string): Promise<string> {
  const row = await trx
    .selectFrom('securitygroupdefaultrules')
    .select('id')
    .where((eb) => eb.or([eb('default_key', '=', key), eb('non_default_key', '=', key)]))
    .executeTakeFirst();
  return row?.id ?? '';
}

/** The rules that new security groups start with. */
export const defaultSecurityGroupRuleModule: ResourceModule<typeof DEFAULT_SECURITY_GROUP_RULE> = {
  resource: DEFAULT_SECURITY_GROUP_RULE,
  load,
  async create(trx, caller, values) {
    const matching = checkedMatching(values);
    const { remote_group_id: remote, remote_address_group_id: addresses } = matching;
    if (remote !== null && remote !== PARENT) await requireGroup(trx, caller, remote);
    if (addresses !== null) await requireVisible(trx, caller, ADDRESS_GROUP, addresses);
    const { used_in_default_sg: inDefault, used_in_non_default_sg: inOthers, description } = values;
    const id = randomUUID();
    const key = ruleKey(matching);
    const attr = await insertStandardAttributes(trx, {
      resource_type: 'securitygroupdefaultrules',
      description,
      revision_number: 0,
    });
    const { direction, ethertype, protocol, port_range_min, port_range_max, remote_ip_prefix } = matching;
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('securitygroupdefaultrules')
      .ignore()
      .values({
        ...{ id, direction, ethertype, protocol, port_range_min, port_range_max, remote_ip_prefix },
        remote_group_id: remote,
        remote_address_group_id: addresses,
        used_in_default_sg: Number(inDefault),
        used_in_non_default_sg: Number(inOthers),
        default_key: inDefault ? key : null,
        non_default_key: inOthers ? key : null,
        standard_attr_id: attr,
      })
      .executeTakeFirst();
    if ((numInsertedOrUpdatedRows ?? 0n) === 0n)
      throw neutronError('DefaultSecurityGroupRuleExists', { rule: await equalRule(trx, key) });
    return inserted((await load(trx, [id])).get(id), 'default_security_group_rule', id);
  },
  async delete(trx, _caller, id, revision) {
    const [rule] = await selectPlain(trx, DEFAULT_SECURITY_GROUP_RULE, [id]);
    if (!rule) throw neutronError('DefaultSecurityGroupRuleNotFound', { id });
    await requireRevision(trx, rule.attr, revision);
    await deletePlain(trx, DEFAULT_SECURITY_GROUP_RULE, id);
  },
};
