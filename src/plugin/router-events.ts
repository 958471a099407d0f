import type { Trx } from '../db/database.ts';
import { EVENTS } from '../rpc/events.ts';
import { enqueueNotification } from './events.ts';

/** Notifies the L3 agents of a router that it, its ports, routes or floating IPs have changed. */
export async function enqueueRouterUpdate(trx: Trx, routerId: string): Promise<void> {
  const port = await trx
    .selectFrom('routerports')
    .select('port_id')
    .where('router_id', '=', routerId)
    .limit(1)
    .executeTakeFirst();
  const kind = await trx
    .selectFrom('router_extra_attributes')
    .select('ha')
    .where('router_id', '=', routerId)
    .executeTakeFirst();
  const change = { router_id: routerId, has_ports: port !== undefined, ...(kind?.ha === 1 ? { ha: true } : {}) };
  await enqueueNotification(trx, EVENTS.routers_updated, change, { router: routerId });
}
