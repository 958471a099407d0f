import { type RawBuilder, sql } from 'kysely';
import type { Caller } from '../../auth/contract.ts';
import type { Queries, Trx } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError, shown } from '../../resources/errors.ts';
import { RBAC_POLICY } from '../../resources/rbac-policy.ts';
import type { AnyModule, ResourceModule } from '../module.ts';
import { addEntry, removeEntry } from './sharing.ts';
import { isNeeded } from './unshare.ts';

type Policy = DocumentOf<typeof RBAC_POLICY>;
type Modules = ReadonlyMap<string, AnyModule>;

/** Returns the modules whose resources can be shared, by their `object_type`. */
const shareable = (modules: readonly AnyModule[]): Modules =>
  new Map(
    modules.flatMap((module) => {
      const { name, sharing } = module.resource;
      return sharing ? [[sharing.objectType ?? name, module] as const] : [];
    }),
  );

/** The entries of all tables as one: `from (...) as rbac_policies`. */
function entriesOf(types: Modules): RawBuilder<unknown> {
  const selects = [...types].map(
    ([
      type,
      { resource },
    ]) => sql`select id, project_id, object_id, target_project, action, ${sql.lit(type)} as object_type
      from ${sql.table(resource.sharing?.table ?? '')}`,
  );
  return sql`from (${sql.join(selects, sql` union all `)}) as rbac_policies`;
}

const invalid = (reason: string) => neutronError('InvalidInput', { reason });

/** RBAC policies of all resources that can be shared. */
export function rbacPolicyModule(modules: readonly AnyModule[]): ResourceModule<typeof RBAC_POLICY> {
  const types = shareable(modules);
  const source = entriesOf(types);

  const load = async (db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, Policy>> => {
    if (ids.length === 0) return new Map();
    const { rows } = await sql<Policy>`select id, object_type, object_id, action, target_project as target_tenant,
      project_id as tenant_id, project_id ${source} where id in (${sql.join(ids)})`.execute(db);
    return new Map(rows.map((row) => [row.id, row]));
  };

  /** Throws RbacPolicyNotFound. */
  const requirePolicy = async (db: Queries, id: string): Promise<Policy> => {
    const policy = (await load(db, [id])).get(id);
    if (!policy) throw neutronError('RbacPolicyNotFound', { id });
    return policy;
  };

  const moduleOf = (type: string): AnyModule => {
    const module = types.get(type);
    if (!module) throw invalid(`'${shown(type)}' is not a valid RBAC object type`);
    return module;
  };

  const objectOf = async (trx: Trx, { resource }: AnyModule, id: string): Promise<string | undefined> => {
    const { rows } = await sql<{ project: string }>`select project_id as project from ${sql.table(resource.table ?? '')}
      where id = ${id}`.execute(trx);
    return rows[0]?.project;
  };

  /** Removes the entry of a policy. Throws RbacPolicyInUse if a project uses the object that has no other access. */
  const withdraw = async (trx: Trx, policy: Policy, to?: string): Promise<void> => {
    const module = moduleOf(policy.object_type);
    const { object_id: id, target_tenant: target, action } = policy;
    const owner = (await objectOf(trx, module, id)) ?? '';
    if (await isNeeded(trx, module, { id, owner, target, to, action }))
      throw neutronError('RbacPolicyInUse', { id, details: `projects use it that have no other access` });
    await removeEntry(trx, module.resource, policy.id);
  };

  /** Adds the entry of a policy. Throws DuplicateRbacPolicy. */
  const add = async (trx: Trx, { resource }: AnyModule, policy: Omit<Policy, 'id'>, id?: string): Promise<string> => {
    const { object_id: objectId, project_id: projectId, target_tenant: target, action } = policy;
    const added = await addEntry(trx, resource, { objectId, projectId, target, action }, id);
    if (added === undefined) throw neutronError('DuplicateRbacPolicy');
    return added;
  };

  return {
    resource: RBAC_POLICY,
    source,
    load,
    async create(trx, caller, values) {
      const module = moduleOf(values.object_type);
      const owner = await objectOf(trx, module, values.object_id);
      // The same answer whether the object exists or not: what others own is no business of the caller.
      if (!caller.isAdmin && owner !== caller.projectId)
        throw invalid('only administrators share what belongs to other projects');
      if (owner === undefined) throw invalid(`there is no ${values.object_type} with id ${values.object_id}`);
      const valid = module.resource.sharing?.actions ?? [];
      if (!valid.some((action) => action === values.action))
        throw neutronError('InvalidActionForType', {
          action: shown(values.action),
          type: values.object_type,
          valid: valid.join(', '),
        });
      await module.requireShareable?.(trx, values.object_id, values.target_tenant);
      const id = await add(trx, module, values);
      await module.entriesChanged?.(trx, values.object_id);
      return { ...values, id };
    },
    async update(trx, caller, id, { target_tenant: to }) {
      const policy = await requirePolicy(trx, id);
      if (to === undefined || to === policy.target_tenant) return policy;
      const module = moduleOf(policy.object_type);
      await requireOwner(caller, policy, await objectOf(trx, module, policy.object_id));
      await module.requireShareable?.(trx, policy.object_id, to);
      await withdraw(trx, policy, to);
      const changed = { ...policy, target_tenant: to };
      await add(trx, module, changed, id);
      await module.entriesChanged?.(trx, policy.object_id);
      return changed;
    },
    async delete(trx, _caller, id) {
      const policy = await requirePolicy(trx, id);
      await withdraw(trx, policy);
      await moduleOf(policy.object_type).entriesChanged?.(trx, policy.object_id);
    },
  };
}

/** Throws RbacPolicyInUse unless the caller owns the shared object: the owner of a policy alone may not widen access to it. */
async function requireOwner(caller: Caller, { object_id: id }: Policy, owner: string | undefined): Promise<void> {
  if (!caller.isAdmin && owner !== caller.projectId)
    throw neutronError('RbacPolicyInUse', {
      id,
      details: 'only administrators share what belongs to other projects',
    });
}
