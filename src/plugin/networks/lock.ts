import type { Database, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';

/**
 * Returns a network's row and locks it until the transaction ends, so that what is decided by looking at the whole network (that no
 * two of its subnets overlap) stays true although another server does the same. Throws NetworkNotFound.
 */
export async function lockNetwork(trx: Trx, db: Database, id: string) {
  const row = await db.locked(trx.selectFrom('networks').selectAll().where('id', '=', id)).executeTakeFirst();
  if (!row) throw neutronError('NetworkNotFound', { id });
  return row;
}
