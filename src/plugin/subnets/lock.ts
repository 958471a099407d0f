import type { Database, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';

/** Returns a subnet's row and its network's, and locks them until the transaction ends. Throws SubnetNotFound. */
export async function lockSubnet(trx: Trx, db: Database, id: string) {
  const named = await trx.selectFrom('subnets').select('network_id').where('id', '=', id).executeTakeFirst();
  if (!named) throw neutronError('SubnetNotFound', { id });
  // First the network, then the subnet: always in this order, so that transactions cannot deadlock.
  const networks = trx.selectFrom('networks').selectAll().where('id', '=', named.network_id);
  const subnets = trx.selectFrom('subnets').selectAll().where('id', '=', id);
  const network = await db.locked(networks).executeTakeFirst();
  const subnet = await db.locked(subnets).executeTakeFirst();
  if (!network || !subnet) throw neutronError('SubnetNotFound', { id });
  return { subnet, network };
}

export type LockedSubnet = Awaited<ReturnType<typeof lockSubnet>>['subnet'];
