import type { Queries, Trx } from '../../db/database.ts';
import type { IdentityApplicationCredentials } from '../../db/schema.ts';
import { unlessTaken } from './names.ts';

export type ApplicationCredentialRow = IdentityApplicationCredentials;

/** Returns the application credentials of a user, in the order of their names. */
export function listApplicationCredentials(
  db: Queries,
  userId: string,
  name?: string,
): Promise<ApplicationCredentialRow[]> {
  let query = db.selectFrom('identity_application_credentials').selectAll().where('user_id', '=', userId);
  if (name !== undefined) query = query.where('name', '=', name);
  return query.orderBy('name').execute();
}

export function findApplicationCredential(db: Queries, id: string): Promise<ApplicationCredentialRow | undefined> {
  return db.selectFrom('identity_application_credentials').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Inserts an application credential. Throws IdentityError 409 if the user has one of this name. */
export async function insertApplicationCredential(trx: Trx, row: ApplicationCredentialRow): Promise<void> {
  const statement = trx.insertInto('identity_application_credentials').values(row).execute();
  await unlessTaken('application credential', row.name, statement);
}

export async function deleteApplicationCredential(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('identity_application_credentials').where('id', '=', id).execute();
}

/** Returns the ids of the roles of an application credential. */
export const roleIdsOf = ({ roles }: ApplicationCredentialRow): readonly string[] => JSON.parse(roles) as string[];
