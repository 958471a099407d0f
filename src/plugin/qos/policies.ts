import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Queries, Trx } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { QOS_POLICY, QOS_RULES, type QosRuleDocument, type QosRuleType } from '../../resources/qos.ts';
import { groupBy, presence, tagConditions, tagsOf } from '../../store/listing.ts';
import { deletePlain, insertPlain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import { bumpRevision, newStandard, requireCurrent } from '../../store/standard-attributes.ts';
import { inserted, type ResourceModule, type View } from '../module.ts';
import { EVERYBODY, removeForEverybody, sharedAmong, sharedFilter, shareWithAll } from '../rbac/sharing.ts';
import { isNeeded } from '../rbac/unshare.ts';

type QosPolicyDocument = DocumentOf<typeof QOS_POLICY>;

/** Where policies are used: table, column and name of what uses them, and where its project is found. */
const QOS_USERS = [
  { type: 'network', table: 'qos_network_policy_bindings', key: 'network_id', of: 'networks' },
  { type: 'port', table: 'qos_port_policy_bindings', key: 'port_id', of: 'ports' },
  { type: 'floatingip', table: 'qos_fip_policy_bindings', key: 'fip_id', of: 'floatingips' },
  { type: 'router', table: 'qos_router_gw_policy_bindings', key: 'router_id', of: 'routers' },
] as const;

/** Returns the rules of policies, with their types, by the id of the policy. */
export async function rulesOf(
  db: Queries,
  policies: readonly string[],
): Promise<ReadonlyMap<string, QosRuleDocument[]>> {
  if (policies.length === 0) return new Map();
  const all: QosRuleDocument[] = [];
  for (const [type, { table, attributes }] of Object.entries(QOS_RULES)) {
    const parameters = Object.keys(attributes).filter((name) => name !== 'id' && name !== 'policy_id');
    const { rows } = await sql<Record<string, string | number>>`select id, qos_policy_id,
      ${sql.join(parameters.map((name) => sql.ref(name)))} from ${sql.table(table)}
      where qos_policy_id in (${sql.join(policies)}) order by id`.execute(db);
    for (const row of rows)
      all.push({ ...row, id: String(row.id), qos_policy_id: String(row.qos_policy_id), type: type as QosRuleType });
  }
  return groupBy(all, (rule) => rule.qos_policy_id);
}

/** Returns the rules of one policy. */
export const rulesOfPolicy = async (db: Queries, policy: string): Promise<readonly QosRuleDocument[]> =>
  (await rulesOf(db, [policy])).get(policy) ?? [];

async function load(db: Queries, ids: readonly string[], view?: View): Promise<ReadonlyMap<string, QosPolicyDocument>> {
  const rows = await selectPlain(db, QOS_POLICY, ids);
  if (rows.length === 0) return new Map();
  const found = rows.map(({ id }) => id);
  const rules = await rulesOf(db, found);
  const shared = await sharedAmong(db, QOS_POLICY, found, view);
  const defaults = new Set(
    (
      await db.selectFrom('qos_policies_default').select('qos_policy_id').where('qos_policy_id', 'in', found).execute()
    ).map((row) => row.qos_policy_id),
  );
  const tags = await tagsOf(
    db,
    rows.map(({ attr }) => attr),
  );
  return new Map(
    rows.map(({ id, attr, shown }): [string, QosPolicyDocument] => [
      id,
      {
        ...shown,
        shared: shared.has(id),
        is_default: defaults.has(id),
        rules: rules.get(id) ?? [],
        tags: tags.get(attr) ?? [],
      },
    ]),
  );
}

/** Makes a policy the default of its project. Throws QoSPolicyDefaultAlreadyExists if there is another one. */
async function makeDefault(trx: Trx, project: string, policy: string): Promise<void> {
  const row = { project_id: project, qos_policy_id: policy };
  await trx.insertInto('qos_policies_default').ignore().values(row).execute();
  const kept = await trx
    .selectFrom('qos_policies_default')
    .select('qos_policy_id')
    .where('project_id', '=', project)
    .executeTakeFirst();
  if (kept?.qos_policy_id !== policy) throw neutronError('QoSPolicyDefaultAlreadyExists', { project });
}

/** Throws QosPolicyInUse if anything uses the policy. */
async function requireNoUser(trx: Trx, id: string): Promise<void> {
  for (const { type, table, key } of QOS_USERS) {
    const { rows } = await sql<{ user: string }>`select ${sql.ref(key)} as user from ${sql.table(table)}
      where policy_id = ${id} limit 1`.execute(trx);
    const [used] = rows;
    if (used) throw neutronError('QosPolicyInUse', { id, type, user: used.user });
  }
}

/** Returns the projects of what uses a policy. */
async function usersOf(trx: Trx, id: string): Promise<readonly string[]> {
  const projects: string[] = [];
  for (const { table, key, of } of QOS_USERS) {
    const { rows } = await sql<{ project: string }>`select distinct o.project_id as project from ${sql.table(table)} b
      inner join ${sql.table(of)} o on o.id = ${sql.ref(`b.${key}`)} where b.policy_id = ${id}`.execute(trx);
    projects.push(...rows.map(({ project }) => project));
  }
  return projects;
}

/** Returns the id of a policy's standard attributes. Throws QosPolicyNotFound. */
export async function policyAttr(trx: Trx, id: string): Promise<number> {
  const { rows } = await sql<{ attr: number }>`select standard_attr_id as attr from qos_policies
    where id = ${id}`.execute(trx);
  const [row] = rows;
  if (!row) throw neutronError('QosPolicyNotFound', { id });
  return row.attr;
}

/** Returns the policy with the id of its standard attributes. Throws QosPolicyNotFound. */
async function requirePolicy(trx: Trx, id: string) {
  const attr = await policyAttr(trx, id);
  return { document: inserted((await load(trx, [id])).get(id), 'policy', id), attr };
}

/** QoS policies. */
export const qosPolicyModule: ResourceModule<typeof QOS_POLICY> = {
  resource: QOS_POLICY,
  conditions: {
    shared: sharedFilter(QOS_POLICY),
    is_default: presence(sql`exists (select 1 from qos_policies_default d where d.qos_policy_id = qos_policies.id)`),
    ...tagConditions('qos_policies'),
  },
  load,
  usersOf,
  async create(trx, _caller, values) {
    const id = randomUUID();
    await insertPlain(trx, QOS_POLICY, { ...plainOf(QOS_POLICY, values), id, ...newStandard() });
    if (values.shared) await shareWithAll(trx, QOS_POLICY, id, values.project_id);
    if (values.is_default) await makeDefault(trx, values.project_id, id);
    return inserted((await load(trx, [id])).get(id), 'policy', id);
  },
  async update(trx, caller, id, changes, revision) {
    const { document: before, attr } = await requirePolicy(trx, id);
    requireCurrent(before.revision_number, revision);
    await updatePlain(trx, QOS_POLICY, { id, attr }, plainOf(QOS_POLICY, changes));
    if (changes.shared === true) await shareWithAll(trx, QOS_POLICY, id, before.project_id);
    if (changes.shared === false && before.shared) {
      // As in Neutron, the owner's networks and ports count, too.
      const withdrawn = { id, owner: '', target: EVERYBODY };
      if (await isNeeded(trx, { resource: QOS_POLICY, usersOf }, withdrawn))
        throw neutronError('RbacPolicyInUse', { id, details: 'other projects use the policy' });
      await removeForEverybody(trx, QOS_POLICY, id);
    }
    if (changes.is_default === true) await makeDefault(trx, before.project_id, id);
    if (changes.is_default === false)
      await trx.deleteFrom('qos_policies_default').where('qos_policy_id', '=', id).execute();
    await bumpRevision(trx, attr, revision);
    return inserted((await load(trx, [id], { caller })).get(id), 'policy', id);
  },
  async delete(trx, _caller, id, revision) {
    const { document } = await requirePolicy(trx, id);
    requireCurrent(document.revision_number, revision);
    await requireNoUser(trx, id);
    await deletePlain(trx, QOS_POLICY, id);
  },
};

/** Returns the default policy of a project, for networks that name none; undefined if it has none. */
export async function defaultQosPolicy(trx: Trx, project: string): Promise<string | undefined> {
  const row = await trx
    .selectFrom('qos_policies_default')
    .select('qos_policy_id')
    .where('project_id', '=', project)
    .executeTakeFirst();
  return row?.qos_policy_id;
}
