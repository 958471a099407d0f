import type { Queries, Trx } from '../../db/database.ts';
import type { IdentityUsers } from '../../db/schema.ts';
import { unlessTaken } from './names.ts';

export type UserRow = IdentityUsers;

export interface UserFilter {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly domainId?: string | undefined;
  readonly enabled?: boolean | undefined;
}

/** Returns users in the order of their names. */
export function listUsers(db: Queries, filter: UserFilter = {}): Promise<UserRow[]> {
  let query = db.selectFrom('identity_users').selectAll();
  if (filter.id !== undefined) query = query.where('id', '=', filter.id);
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  if (filter.domainId !== undefined) query = query.where('domain_id', '=', filter.domainId);
  if (filter.enabled !== undefined) query = query.where('enabled', '=', Number(filter.enabled));
  return query.orderBy('name').orderBy('id').execute();
}

export async function findUser(db: Queries, id: string): Promise<UserRow | undefined> {
  return (await listUsers(db, { id }))[0];
}

/** Returns the user of a name in a domain. */
export async function userNamed(db: Queries, domainId: string, name: string): Promise<UserRow | undefined> {
  return (await listUsers(db, { domainId, name }))[0];
}

/** Inserts a user. Throws IdentityError 409 if its name is taken. */
export async function insertUser(trx: Trx, row: UserRow): Promise<void> {
  await unlessTaken('user', row.name, trx.insertInto('identity_users').values(row).execute());
}

/** Stores a user that has changed. Throws IdentityError 409 if its new name is taken. */
export async function updateUser(trx: Trx, row: UserRow): Promise<void> {
  const { id, ...values } = row;
  await unlessTaken('user', row.name, trx.updateTable('identity_users').set(values).where('id', '=', id).execute());
}

/** Deletes a user with its assignments. */
export async function deleteUser(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('identity_users').where('id', '=', id).execute();
}
