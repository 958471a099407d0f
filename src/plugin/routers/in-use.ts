import type { Trx } from '../../db/database.ts';
import { cidrContains, parseIp } from '../../net/addresses.ts';
import { neutronError } from '../../resources/errors.ts';
import type { AttachedPort, RouterSubnet } from './attached.ts';
import { routesOf } from './routes.ts';

/** Returns whether a floating IP, or a port forwarding, of the router leads to an address of the subnet. */
async function leadsTo(trx: Trx, routerId: string, subnetId: string): Promise<boolean> {
  const associated = await trx
    .selectFrom('floatingips as f')
    .innerJoin('ipallocations as a', (join) =>
      join.onRef('a.port_id', '=', 'f.fixed_port_id').onRef('a.ip_address', '=', 'f.fixed_ip_address'),
    )
    .select('f.id')
    .where('f.router_id', '=', routerId)
    .where('a.subnet_id', '=', subnetId)
    .limit(1)
    .executeTakeFirst();
  if (associated) return true;
  const forwarded = await trx
    .selectFrom('floatingips as f')
    .innerJoin('portforwardings as p', 'p.floatingip_id', 'f.id')
    .innerJoin('ipallocations as a', (join) =>
      join.onRef('a.port_id', '=', 'p.internal_neutron_port_id').onRef('a.ip_address', '=', 'p.internal_ip_address'),
    )
    .select('p.id')
    .where('f.router_id', '=', routerId)
    .where('a.subnet_id', '=', subnetId)
    .limit(1)
    .executeTakeFirst();
  return forwarded !== undefined;
}

/** Throws RouterInterfaceInUseByNDPProxy if an NDP proxy of the router announces an address of the subnet. */
async function requireNoNdpProxy(trx: Trx, router: string, subnet: string): Promise<void> {
  const proxy = await trx
    .selectFrom('ndp_proxies as n')
    .innerJoin('ipallocations as a', (join) =>
      join.onRef('a.port_id', '=', 'n.port_id').onRef('a.ip_address', '=', 'n.ip_address'),
    )
    .select('n.id')
    .where('n.router_id', '=', router)
    .where('a.subnet_id', '=', subnet)
    .limit(1)
    .executeTakeFirst();
  if (proxy) throw neutronError('RouterInterfaceInUseByNDPProxy', { router, subnet });
}

/**
 * Throws RouterInterfaceInUseByNDPProxy, RouterInterfaceInUseByFloatingIP or RouterInterfaceInUseByRoute if an NDP proxy, a floating IP,
 * or the next hop of an extra route needs the router's interface on the subnet.
 */
export async function requireInterfaceUnused(trx: Trx, routerId: string, subnet: RouterSubnet): Promise<void> {
  await requireNoNdpProxy(trx, routerId, subnet.id);
  if (await leadsTo(trx, routerId, subnet.id))
    throw neutronError('RouterInterfaceInUseByFloatingIP', { router: routerId, subnet: subnet.id });
  const routes = (await routesOf(trx, [routerId])).get(routerId) ?? [];
  const uses = routes.some(({ nexthop }) => {
    const ip = parseIp(nexthop);
    return ip !== undefined && cidrContains(subnet.cidr, ip);
  });
  if (uses) throw neutronError('RouterInterfaceInUseByRoute', { router: routerId, subnet: subnet.id });
}

/** Throws RouterExternalGatewayInUseByFloatingIp if floating IPs of the router are on the network of a gateway to remove. */
export async function requireGatewayUnused(
  trx: Trx,
  router: string,
  { networkId: network }: AttachedPort,
): Promise<void> {
  const used = await trx
    .selectFrom('floatingips')
    .select('id')
    .where('router_id', '=', router)
    .where('floating_network_id', '=', network)
    .limit(1)
    .executeTakeFirst();
  if (used) throw neutronError('RouterExternalGatewayInUseByFloatingIp', { router, network });
}
