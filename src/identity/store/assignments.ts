import type { Queries, Trx } from '../../db/database.ts';
import type { RoleRow } from './roles.ts';

/** What a role is assigned on; the id of the system is `all`. */
export interface Target {
  readonly type: 'project' | 'domain' | 'system';
  readonly id: string;
}

export const SYSTEM: Target = { type: 'system', id: 'all' };

export interface AssignmentRow {
  readonly user_id: string;
  readonly target_type: string;
  readonly target_id: string;
  readonly role_id: string;
}

export interface AssignmentFilter {
  readonly userId?: string | undefined;
  readonly roleId?: string | undefined;
  readonly target?: Target | undefined;
}

/** Returns assignments in a fixed order. */
export function listAssignments(
  db: Queries,
  { userId, roleId, target }: AssignmentFilter = {},
): Promise<AssignmentRow[]> {
  let query = db.selectFrom('identity_assignments').select(['user_id', 'target_type', 'target_id', 'role_id']);
  if (userId !== undefined) query = query.where('user_id', '=', userId);
  if (roleId !== undefined) query = query.where('role_id', '=', roleId);
  if (target) query = query.where('target_type', '=', target.type).where('target_id', '=', target.id);
  return query.orderBy('target_type').orderBy('target_id').orderBy('user_id').orderBy('role_id').execute();
}

/** Returns the roles that are assigned to a user on a target, without those that they imply. */
export function assignedRoles(db: Queries, userId: string, target: Target): Promise<RoleRow[]> {
  return db
    .selectFrom('identity_roles')
    .innerJoin('identity_assignments', 'identity_assignments.role_id', 'identity_roles.id')
    .selectAll('identity_roles')
    .where('user_id', '=', userId)
    .where('target_type', '=', target.type)
    .where('target_id', '=', target.id)
    .orderBy('name')
    .execute();
}

/** Assigns a role; does nothing if it is assigned already. */
export async function assign(
  trx: Trx,
  userId: string,
  target: Target,
  roleId: string,
  fromFile = false,
): Promise<void> {
  const values = { user_id: userId, target_type: target.type, target_id: target.id, role_id: roleId };
  await trx
    .insertInto('identity_assignments')
    .ignore()
    .values({ ...values, from_file: Number(fromFile) })
    .execute();
}

/** Takes a role away; returns whether it was assigned. */
export async function unassign(trx: Trx, userId: string, target: Target, roleId: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('identity_assignments')
    .where('user_id', '=', userId)
    .where('target_type', '=', target.type)
    .where('target_id', '=', target.id)
    .where('role_id', '=', roleId)
    .executeTakeFirst();
  return Number(numDeletedRows) > 0;
}
