import type { Trx } from '../../db/database.ts';
import { EVENTS } from '../../rpc/events.ts';
import { enqueueNotification } from '../events.ts';

/** Notifies the agents of routers with an address in subnets of a pool that the address scope of these subnets has changed. */
export async function notifyRoutersOfScope(trx: Trx, poolId: string): Promise<void> {
  const routers = await trx
    .selectFrom('subnets')
    .innerJoin('ipallocations', 'ipallocations.subnet_id', 'subnets.id')
    .innerJoin('routerports', 'routerports.port_id', 'ipallocations.port_id')
    .select('routerports.router_id')
    .distinct()
    .where('subnets.subnetpool_id', '=', poolId)
    .execute();
  for (const { router_id: router } of routers)
    await enqueueNotification(trx, EVENTS.routers_updated, { router_id: router, has_ports: true }, { router });
}
