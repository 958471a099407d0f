import type { Database, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import type { RequestContext } from '../core.ts';
import { visibleSubnets } from './visible.ts';

/** A subnet's row, and its network's, held until the transaction ends. Throws SubnetNotFound. */
export async function lockSubnet(trx: Trx, dialect: Database['dialect'], context: RequestContext, id: string) {
  const named = await trx
    .selectFrom('subnets')
    .select('network_id')
    .where('id', '=', id)
    .where(visibleSubnets(context))
    .executeTakeFirst();
  if (!named) throw neutronError('SubnetNotFound', { id });
  // First the network, then the subnet: always in this order, so that two transactions cannot wait for each other.
  const networks = trx.selectFrom('networks').selectAll().where('id', '=', named.network_id);
  const subnets = trx.selectFrom('subnets').selectAll().where('id', '=', id);
  const network = await (dialect === 'mysql' ? networks.forUpdate() : networks).executeTakeFirst();
  const subnet = await (dialect === 'mysql' ? subnets.forUpdate() : subnets).executeTakeFirst();
  if (!network || !subnet) throw neutronError('SubnetNotFound', { id });
  return { subnet, network };
}

export type LockedSubnet = Awaited<ReturnType<typeof lockSubnet>>['subnet'];
