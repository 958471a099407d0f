import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Caller } from '../../auth/contract.ts';
import type { Queries } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { SECURITY_GROUP } from '../../resources/security-group.ts';
import { sharedWithCaller } from '../rbac/sharing.ts';
import { ownOrShared, seesAll } from '../visibility.ts';

/** A security group that a request refers to. */
export interface GroupFacts {
  readonly id: string;
  readonly project_id: string;
  readonly stateful: number;
  readonly standard_attr_id: number;
  /** Project whose default group it is. */
  readonly default_of: string | null;
}

/** Returns those of the groups that the caller may see; without a caller, all that exist. */
export async function visibleGroups(
  db: Queries,
  caller: Caller | undefined,
  ids: readonly string[],
): Promise<readonly GroupFacts[]> {
  if (ids.length === 0) return [];
  const condition = caller === undefined || seesAll(caller) ? undefined : ownOrShared(SECURITY_GROUP, caller);
  const { rows } = await sql<GroupFacts>`select securitygroups.id, securitygroups.project_id, securitygroups.stateful,
      securitygroups.standard_attr_id, d.project_id as default_of
    from securitygroups left join default_security_group d on d.security_group_id = securitygroups.id
    where securitygroups.id in (${sql.join(ids)}) ${condition ? sql`and ${condition}` : sql``}`.execute(db);
  return rows;
}

/** Throws SecurityGroupNotFound unless the caller may see the group. */
export async function requireGroup(db: Queries, caller: Caller, id: string): Promise<GroupFacts> {
  const [group] = await visibleGroups(db, caller, [id]);
  if (!group) throw neutronError('SecurityGroupNotFound', { id });
  return group;
}

/**
 * The rules of a caller's groups, and those that it added to groups that are shared with it. Without its group, no rule is visible
 * (OSSN-0102): neither what it says, nor that it exists.
 */
export const visibleRules = (caller: Caller): RawBuilder<SqlBool> =>
  sql<SqlBool>`exists (select 1 from securitygroups where securitygroups.id = securitygrouprules.security_group_id
    and (securitygroups.project_id = ${caller.projectId}
      or (securitygrouprules.project_id = ${caller.projectId} and ${sharedWithCaller(SECURITY_GROUP, caller)})))`;
