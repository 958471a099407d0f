import type { Database, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';

/**
 * Returns a network's row and locks it until the transaction ends, so that checks across the whole network (no two subnets
 * overlap) remain valid while other servers make changes. Throws NetworkNotFound.
 */
export async function lockNetwork(trx: Trx, db: Database, id: string) {
  const row = await db.locked(trx.selectFrom('networks').selectAll().where('id', '=', id)).executeTakeFirst();
  if (!row) throw neutronError('NetworkNotFound', { id });
  return row;
}
