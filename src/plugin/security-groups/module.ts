import type { Queries, Trx } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { SECURITY_GROUP } from '../../resources/security-group.ts';
import { tagConditions, tagsOf } from '../../store/listing.ts';
import { plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import { nextRevision, requireCurrent, requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import type { ResourceModule, View } from '../module.ts';
import type { Quotas } from '../quotas/limits.ts';
import { sharedAmong, sharedFilter } from '../rbac/sharing.ts';
import { enqueueRulesChanged, groupsNaming } from '../security-group-events.ts';
import { createForList } from './first-use.ts';
import { defaultSecurityGroup, deleteGroup, insertGroup } from './new-group.ts';
import { rulesOfGroups } from './rule-rows.ts';

type SecurityGroup = DocumentOf<typeof SECURITY_GROUP>;

async function load(db: Queries, ids: readonly string[], view?: View): Promise<ReadonlyMap<string, SecurityGroup>> {
  const rows = await selectPlain(db, SECURITY_GROUP, ids);
  const found = rows.map(({ id }) => id);
  // Most of the work of a list, which clients that show a table do not ask for.
  const fields = view?.query?.fields;
  const withRules = fields === undefined || fields.includes('security_group_rules');
  const rules = withRules ? await rulesOfGroups(db, found) : new Map<string, never>();
  const shared = await sharedAmong(db, SECURITY_GROUP, found, view);
  const tagged = await tagsOf(
    db,
    rows.map(({ attr }) => attr),
  );
  return new Map(
    rows.map(({ id, attr, shown }) => [
      id,
      {
        ...shown,
        shared: shared.has(id),
        security_group_rules: rules.get(id) ?? [],
        tags: tagged.get(attr) ?? [],
      },
    ]),
  );
}

/** Security groups. */
export function securityGroupModule(core: Core, quotas: Quotas): ResourceModule<typeof SECURITY_GROUP> {
  const { db } = core;

  /** Locks a group until the transaction ends: no port joins it meanwhile. Throws SecurityGroupNotFound. */
  async function lock(trx: Trx, id: string) {
    const group = await db
      .locked(trx.selectFrom('securitygroups').select(['standard_attr_id', 'stateful']).where('id', '=', id))
      .executeTakeFirst();
    if (!group) throw neutronError('SecurityGroupNotFound', { id });
    return { attr: Number(group.standard_attr_id), stateful: Number(group.stateful) === 1 };
  }

  async function requireUnused(trx: Trx, id: string): Promise<void> {
    const port = await trx
      .selectFrom('securitygroupportbindings')
      .select('port_id')
      .where('security_group_id', '=', id)
      .limit(1)
      .executeTakeFirst();
    if (port) throw neutronError('SecurityGroupInUse', { id });
  }

  async function isDefault(trx: Trx, id: string): Promise<boolean> {
    const row = await trx
      .selectFrom('default_security_group')
      .select('project_id')
      .where('security_group_id', '=', id)
      .executeTakeFirst();
    return row !== undefined;
  }

  return {
    resource: SECURITY_GROUP,
    conditions: { shared: sharedFilter(SECURITY_GROUP), ...tagConditions('securitygroups') },
    load,
    async usersOf(trx, id) {
      const rows = await trx
        .selectFrom('securitygroupportbindings as b')
        .innerJoin('ports', 'ports.id', 'b.port_id')
        .select('ports.project_id')
        .distinct()
        .where('b.security_group_id', '=', id)
        .execute();
      return rows.map((row) => row.project_id);
    },
    prepareList: (caller, query) => createForList(core, quotas, caller, query),
    async create(trx, caller, values) {
      const { project_id, name, description, stateful } = values;
      if (project_id === caller.projectId) await defaultSecurityGroup(trx, quotas, project_id);
      return (await insertGroup(trx, quotas, { project_id, name, description, stateful })).document;
    },
    async update(trx, caller, id, changes, revision) {
      const { attr, stateful } = await lock(trx, id);
      const before = (await load(trx, [id], { caller })).get(id);
      if (!before) throw neutronError('SecurityGroupNotFound', { id });
      requireCurrent(before.revision_number, revision);
      if (changes.stateful !== undefined && changes.stateful !== stateful) await requireUnused(trx, id);
      if (changes.name !== undefined && (await isDefault(trx, id)))
        throw neutronError('SecurityGroupCannotUpdateDefault');
      await updatePlain(trx, SECURITY_GROUP, { id, attr }, plainOf(SECURITY_GROUP, changes));
      return { ...before, ...changes, ...(await nextRevision(trx, attr, before, revision)) };
    },
    async delete(trx, caller, id, revision) {
      const { attr } = await lock(trx, id);
      await requireRevision(trx, attr, revision);
      await requireUnused(trx, id);
      if (!caller.isAdmin && (await isDefault(trx, id))) throw neutronError('SecurityGroupCannotRemoveDefault');
      const naming = await groupsNaming(trx, 'remote_group_id', id);
      await reviseReferring(trx, id);
      await deleteGroup(trx, id, attr);
      // Rules that named it went with it.
      await enqueueRulesChanged(
        trx,
        naming.filter((group) => group !== id),
      );
    },
  };
}

/** Increments the revision of the groups that lose rules because they refer to this one. */
async function reviseReferring(trx: Trx, id: string): Promise<void> {
  const rows = await trx
    .selectFrom('securitygrouprules as r')
    .innerJoin('securitygroups as g', 'g.id', 'r.security_group_id')
    .innerJoin('standardattributes as s', 's.id', 'g.standard_attr_id')
    .select(['g.standard_attr_id', 's.revision_number'])
    .distinct()
    .where('r.remote_group_id', '=', id)
    .where('r.security_group_id', '<>', id)
    .execute();
  for (const row of rows)
    await nextRevision(trx, row.standard_attr_id, { revision_number: Number(row.revision_number) });
}
