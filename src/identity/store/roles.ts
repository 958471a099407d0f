import type { Queries, Trx } from '../../db/database.ts';
import type { IdentityRoles } from '../../db/schema.ts';
import { unlessTaken } from './names.ts';

export type RoleRow = IdentityRoles;

/** Role that each of these roles implies, as in Keystone; the roles exist always. */
export const IMPLIED: Readonly<Record<string, string>> = { admin: 'manager', manager: 'member', member: 'reader' };

/** The roles that exist always. */
export const BUILT_IN: readonly string[] = ['admin', 'manager', 'member', 'reader', 'service'];

/** Returns roles in the order of their names; `name`: only that one. */
export function listRoles(db: Queries, name?: string): Promise<RoleRow[]> {
  let query = db.selectFrom('identity_roles').selectAll();
  if (name !== undefined) query = query.where('name', '=', name);
  return query.orderBy('name').execute();
}

export function findRole(db: Queries, id: string): Promise<RoleRow | undefined> {
  return db.selectFrom('identity_roles').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Returns these roles and those that they imply, each once. `all`: the existing roles. */
export function withImplied(roles: readonly RoleRow[], all: readonly RoleRow[]): readonly RoleRow[] {
  const found = new Map(roles.map((role) => [role.id, role]));
  for (const role of found.values()) {
    const implied = Object.hasOwn(IMPLIED, role.name) ? all.find(({ name }) => name === IMPLIED[role.name]) : undefined;
    if (implied) found.set(implied.id, implied);
  }
  return [...found.values()];
}

/** Inserts a role. Throws IdentityError 409 if its name is taken. */
export async function insertRole(trx: Trx, row: RoleRow): Promise<void> {
  await unlessTaken('role', row.name, trx.insertInto('identity_roles').values(row).execute());
}

/** Stores a role that has changed. Throws IdentityError 409 if its new name is taken. */
export async function updateRole(trx: Trx, row: RoleRow): Promise<void> {
  const { id, ...values } = row;
  await unlessTaken('role', row.name, trx.updateTable('identity_roles').set(values).where('id', '=', id).execute());
}

/** Deletes a role with its assignments. */
export async function deleteRole(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('identity_roles').where('id', '=', id).execute();
}
