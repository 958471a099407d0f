import type { Database, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';

/**
 * Returns a floating IP's row and locks it until the transaction ends: it has either a port or port forwardings. Throws
 * FloatingIPNotFound.
 */
export async function lockFloatingIp(trx: Trx, db: Database, id: string) {
  const row = await db.locked(trx.selectFrom('floatingips').selectAll().where('id', '=', id)).executeTakeFirst();
  if (!row) throw neutronError('FloatingIPNotFound', { id });
  return row;
}

export type LockedFloatingIp = Awaited<ReturnType<typeof lockFloatingIp>>;

/** Returns whether a floating IP has port forwardings. */
export async function isForwarded(trx: Trx, id: string): Promise<boolean> {
  const one = trx.selectFrom('portforwardings').select('id').where('floatingip_id', '=', id).limit(1);
  return (await one.executeTakeFirst()) !== undefined;
}
