import { randomUUID } from 'node:crypto';
import { type SqlBool, sql } from 'kysely';
import type { Caller } from '../../auth/contract.ts';
import type { Queries, Trx } from '../../db/database.ts';
import type { Resource } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import {
  QOS_POLICY,
  QOS_RULE_ALIASES,
  QOS_RULES,
  type QosRuleDocument,
  type QosRuleType,
} from '../../resources/qos.ts';
import { deletePlain, insertPlain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import { bumpRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import type { AnyModule, Document } from '../module.ts';
import { ownOrShared } from '../visibility.ts';
import { policyAttr, rulesOfPolicy } from './policies.ts';
import { requirePolicyOnItsPorts } from './supported.ts';

type Rule = (typeof QOS_RULES)[QosRuleType];

async function load(db: Queries, rule: Rule, ids: readonly string[]): Promise<ReadonlyMap<string, Document>> {
  const resource: Resource = rule;
  return new Map((await selectPlain(db, resource, ids)).map(({ id, shown }) => [id, shown]));
}

/** Increments the policy's revision: its document contains its rules. Locks the policy, so that rules are added one by one. */
const touchPolicy = async (trx: Trx, policy: string): Promise<void> => bumpRevision(trx, await policyAttr(trx, policy));

/** Throws QoSRuleParameterConflict if the rule guarantees more than another one allows. */
function requireFits(type: QosRuleType, rule: Document, others: readonly QosRuleDocument[], policy: string): void {
  const conflict = (other: QosRuleDocument, value: unknown, existing: unknown) =>
    neutronError('QoSRuleParameterConflict', {
      policy,
      type: other.type,
      value: String(value),
      existing: String(existing),
    });
  for (const other of others) {
    if (type === 'bandwidth_limit' && other.type === 'minimum_bandwidth') {
      if (Number(other.min_kbps) > Number(rule.max_kbps)) throw conflict(other, rule.max_kbps, other.min_kbps);
    } else if (type === 'minimum_bandwidth' && other.type === 'bandwidth_limit') {
      if (Number(other.max_kbps) < Number(rule.min_kbps)) throw conflict(other, rule.min_kbps, other.max_kbps);
    } else if (type === 'minimum_packet_rate' && other.type === type) {
      // A rate without direction excludes rates for one direction.
      if ((other.direction === 'any') !== (rule.direction === 'any'))
        throw conflict(other, rule.direction, other.direction);
    }
  }
}

/** Throws QoSRulesConflict if the policy has a rule of the type for the same direction, and for contradicting parameters. */
async function requireCompatible(trx: Trx, type: QosRuleType, policy: string, rule: Document): Promise<void> {
  const others = (await rulesOfPolicy(trx, policy)).filter(({ id }) => id !== rule.id);
  requireFits(type, rule, others, policy);
  const same = others.find((other) => other.type === type && other.direction === rule.direction);
  if (same) throw neutronError('QoSRulesConflict', { type, rule: same.id, policy });
}

/** Returns a rule's policy; undefined if there is no such rule. */
async function policyOf(trx: Trx, { table }: Resource, id: string): Promise<string | undefined> {
  const { rows } = await sql<{ policy: string }>`select qos_policy_id as policy from ${sql.table(table ?? '')}
    where id = ${id}`.execute(trx);
  return rows[0]?.policy;
}

/** Returns the policy of a rule, its revision incremented. Throws QosRuleNotFound. */
async function lockedPolicyOf(trx: Trx, rule: Rule, id: string): Promise<string> {
  const policy = await policyOf(trx, rule, id);
  if (policy === undefined) throw neutronError('QosRuleNotFound', { id });
  await touchPolicy(trx, policy);
  return policy;
}

/** What a rule below its policy's path and the rule by its id alone have in common. */
const changing = (core: Core, type: QosRuleType, rule: Rule): Pick<AnyModule, 'load' | 'update' | 'delete'> => ({
  load: (db, ids) => load(db, rule, ids),
  async update(trx, _caller, id, changes) {
    const policy = await lockedPolicyOf(trx, rule, id);
    const before = (await load(trx, rule, [id])).get(id);
    const after = { ...before, ...changes };
    await requireCompatible(trx, type, policy, after);
    const resource: Resource = rule;
    await updatePlain(trx, resource, { id }, plainOf(resource, changes));
    await requirePolicyOnItsPorts(trx, core, policy);
    return after;
  },
  async delete(trx, _caller, id) {
    await lockedPolicyOf(trx, rule, id);
    await deletePlain(trx, rule, id);
  },
});

const moduleOf = (core: Core, type: QosRuleType, rule: Rule): AnyModule => ({
  resource: rule,
  ...changing(core, type, rule),
  async create(trx, _caller, values) {
    const policy = String(values.policy_id);
    await touchPolicy(trx, policy);
    await requireCompatible(trx, type, policy, values);
    const resource: Resource = rule;
    const { shown } = await insertPlain(trx, resource, { ...plainOf(resource, values), id: randomUUID() });
    await requirePolicyOnItsPorts(trx, core, policy);
    return shown;
  },
});

/** Rules of the policies that the caller may see. */
const ofVisiblePolicy =
  ({ table = '' }: Resource) =>
  (caller: Caller) =>
    sql<SqlBool>`exists (select 1 from qos_policies where qos_policies.id = ${sql.ref(`${table}.qos_policy_id`)}
      and ${ownOrShared(QOS_POLICY, caller) ?? sql`1 = 1`})`;

/** The rules of each type, below the paths of their policies, and by their ids alone. */
export const qosRuleModules = (core: Core): readonly AnyModule[] =>
  Object.entries(QOS_RULES).flatMap(([type, rule]) => {
    const alias = QOS_RULE_ALIASES.find(([of]) => of === rule)?.[1];
    const byId = alias && {
      resource: alias,
      visible: ofVisiblePolicy(alias),
      ...changing(core, type as QosRuleType, rule),
    };
    return [moduleOf(core, type as QosRuleType, rule), ...(byId ? [byId] : [])];
  });
