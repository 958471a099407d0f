import { sql } from 'kysely';
import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { SECURITY_GROUP } from '../../resources/security-group.ts';
import { EVERYBODY } from '../rbac/sharing.ts';
import { type GroupFacts, visibleGroups } from '../security-groups/visible.ts';

/** Returns which of the groups are shared with a project. */
async function sharedWith(trx: Trx, groups: readonly GroupFacts[], project: string): Promise<ReadonlySet<string>> {
  if (groups.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`select object_id as id from ${sql.table(SECURITY_GROUP.sharing.table)}
    where object_id in (${sql.join(groups.map(({ id }) => id))}) and target_project in (${sql.join([EVERYBODY, project])})`.execute(
    trx,
  );
  return new Set(rows.map(({ id }) => id));
}

/**
 * Throws SecurityGroupNotFound for the first id of a group that the caller may not see or, unless it is an administrator, that
 * neither belongs to the port's project nor is shared with it; SecurityGroupConflict for a mix of stateful and stateless groups.
 * `project`: of a new port; ports that exist already may have any group that the caller sees, as in Neutron.
 */
export async function requireSecurityGroups(
  trx: Trx,
  caller: Caller | undefined,
  ids: readonly string[],
  project?: string,
): Promise<void> {
  const found = await visibleGroups(trx, caller, ids);
  const foreign =
    project === undefined || caller === undefined || caller.isAdmin
      ? []
      : found.filter((group) => group.project_id !== project);
  const shared = project === undefined ? new Set() : await sharedWith(trx, foreign, project);
  const usable = new Set(found.filter((group) => !foreign.includes(group) || shared.has(group.id)).map(({ id }) => id));
  const missing = ids.find((id) => !usable.has(id));
  if (missing !== undefined) throw neutronError('SecurityGroupNotFound', { id: missing });
  if (new Set(found.map(({ stateful }) => Number(stateful))).size > 1)
    throw neutronError('SecurityGroupConflict', {
      reason: 'some are stateful, some stateless',
    });
}
