import type { Trx } from '../../db/database.ts';
import { cidrContains, parseIp } from '../../net/addresses.ts';
import { neutronError } from '../../resources/errors.ts';
import type { RouterSubnet } from './attached.ts';
import { routesOf } from './routes.ts';

/** Throws RouterInterfaceInUseByRoute if the next hop of an extra route is on the subnet. */
export async function requireInterfaceUnused(trx: Trx, routerId: string, subnet: RouterSubnet): Promise<void> {
  const routes = (await routesOf(trx, [routerId])).get(routerId) ?? [];
  const uses = routes.some(({ nexthop }) => {
    const ip = parseIp(nexthop);
    return ip !== undefined && cidrContains(subnet.cidr, ip);
  });
  if (uses) throw neutronError('RouterInterfaceInUseByRoute', { router: routerId, subnet: subnet.id });
}
