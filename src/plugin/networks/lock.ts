import type { Database, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import type { RequestContext } from '../core.ts';
import { visibleNetworks } from './visible.ts';

/**
 * A network's row, held until the transaction ends, so that what is decided by looking at all of the network (that no
 * two of its subnets overlap) stays true although another server does the same. Throws NetworkNotFound.
 */
export async function lockNetwork(trx: Trx, dialect: Database['dialect'], context: RequestContext, id: string) {
  const query = trx.selectFrom('networks').selectAll().where('id', '=', id).where(visibleNetworks(context));
  // SQLite's transactions begin immediate: they have the whole database to themselves anyway.
  const row = await (dialect === 'mysql' ? query.forUpdate() : query).executeTakeFirst();
  if (!row) throw neutronError('NetworkNotFound', { id });
  return row;
}
