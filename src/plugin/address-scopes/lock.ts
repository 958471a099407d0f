import type { Database, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';

/**
 * Returns an address scope's row and locks it until the transaction ends: no other pool joins it meanwhile. Throws
 * AddressScopeNotFound.
 */
export async function lockAddressScope(trx: Trx, db: Database, id: string) {
  const row = await db.locked(trx.selectFrom('addressscopes').selectAll().where('id', '=', id)).executeTakeFirst();
  if (!row) throw neutronError('AddressScopeNotFound', { id });
  return row;
}
