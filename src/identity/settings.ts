import { randomBytes } from 'node:crypto';
import type { Database, Queries, Trx } from '../db/database.ts';

const KEY_BYTES = 32;
const REVISION = 'revision';
const SIGNING_KEY = 'signing_key';
const FILE_HASH = 'file_hash';

async function insertOnce(trx: Trx, name: string, value: string): Promise<boolean> {
  const row = { name, value, number: 0 };
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('identity_settings')
    .ignore()
    .values(row)
    .executeTakeFirst();
  return Number(numInsertedOrUpdatedRows) > 0;
}

/** Returns the secret that signs tokens; the first server creates it, and all servers of a database share it. */
export async function signingKey(db: Database): Promise<Buffer> {
  const value = await db.transaction(async (trx) => {
    await insertOnce(trx, SIGNING_KEY, randomBytes(KEY_BYTES).toString('hex'));
    await insertOnce(trx, REVISION, '');
    const query = trx.selectFrom('identity_settings').select('value').where('name', '=', SIGNING_KEY);
    return (await query.executeTakeFirstOrThrow()).value;
  });
  return Buffer.from(value, 'hex');
}

/** Returns the number of changes so far: whoever knows it knows whether something has changed since. */
export async function revisionOf(db: Queries): Promise<number> {
  const query = db.selectFrom('identity_settings').select('number').where('name', '=', REVISION);
  return Number((await query.executeTakeFirstOrThrow()).number);
}

/** Counts a change, in its transaction; other changes wait for it. */
export async function countChange(trx: Trx): Promise<void> {
  await trx
    .updateTable('identity_settings')
    .set((eb) => ({ number: eb('number', '+', 1) }))
    .where('name', '=', REVISION)
    .execute();
}

/** Returns the hash of the file that was taken over last; undefined before the first one. */
export async function fileHash(db: Queries): Promise<string | undefined> {
  const query = db.selectFrom('identity_settings').select('value').where('name', '=', FILE_HASH);
  return (await query.executeTakeFirst())?.value;
}

/** Stores the hash of a file; returns whether it is the first one. */
export async function storeFileHash(trx: Trx, hash: string): Promise<boolean> {
  if (await insertOnce(trx, FILE_HASH, hash)) return true;
  await trx.updateTable('identity_settings').set({ value: hash }).where('name', '=', FILE_HASH).execute();
  return false;
}
