import type { Queries, Trx } from '../../db/database.ts';
import { cidrContains, parseIp } from '../../net/addresses.ts';
import { neutronError, shown } from '../../resources/errors.ts';
import type { HostRoute } from '../../resources/subnet-types.ts';
import { groupBy } from '../../store/listing.ts';
import type { Core } from '../core.ts';
import { attachedPorts, isGateway, subnetsOfNetworks } from './attached.ts';

/** Extra routes: destinations that a router reaches by a next hop on one of its networks. */

const keyOf = ({ destination, nexthop }: HostRoute): string => `${destination} ${nexthop}`;

/** Returns the extra routes of each router that has any. */
export async function routesOf(
  db: Queries,
  routerIds: readonly string[],
): Promise<ReadonlyMap<string, readonly HostRoute[]>> {
  const rows = await db
    .selectFrom('routerroutes')
    .selectAll()
    .where('router_id', 'in', [...routerIds])
    .orderBy('destination')
    .orderBy('nexthop')
    .execute();
  return new Map(
    [...groupBy(rows, (row) => row.router_id)].map(([id, own]) => [
      id,
      own.map(({ destination, nexthop }) => ({ destination, nexthop })),
    ]),
  );
}

const invalid = (routes: readonly HostRoute[], reason: string) =>
  neutronError('InvalidRoutes', { routes: shown(routes), reason });

/**
 * Throws InvalidRoutes unless each next hop is on a subnet of the router and not one of its own addresses. `wide`: all subnets of
 * the networks of its gateways count, not only those that it has an address on.
 */
async function requireConnected(
  trx: Trx,
  routerId: string,
  routes: readonly HostRoute[],
  wide: boolean,
): Promise<void> {
  if (routes.length === 0) return;
  const ports = await attachedPorts(trx, routerId);
  const gateways = wide ? ports.filter(isGateway).map(({ networkId }) => networkId) : [];
  const subnets = [...ports.flatMap((port) => port.subnets), ...(await subnetsOfNetworks(trx, gateways))];
  const own = new Set(ports.flatMap(({ fixedIps }) => fixedIps.map((ip) => ip.ip_address)));
  for (const { nexthop } of routes) {
    const ip = parseIp(nexthop);
    if (!ip || !subnets.some(({ cidr }) => cidrContains(cidr, ip)))
      throw invalid(routes, 'the nexthop is not connected with router');
    if (own.has(nexthop)) throw invalid(routes, 'the nexthop is an address of the router itself');
  }
}

/** Throws InvalidRoutes if a router's extra routes do not fit its ports any more. */
export async function requireRoutesStillConnected(trx: Trx, routerId: string): Promise<void> {
  await requireConnected(trx, routerId, (await routesOf(trx, [routerId])).get(routerId) ?? [], true);
}

/** Replaces the extra routes of a locked router; returns whether they differ. Throws RoutesExhausted and InvalidRoutes. */
export async function setRoutes(
  trx: Trx,
  { config }: Core,
  routerId: string,
  wanted: readonly HostRoute[],
): Promise<boolean> {
  const quota = config.DEFAULT.max_routes;
  if (wanted.length > quota) throw neutronError('RoutesExhausted', { id: routerId, quota });
  await requireConnected(trx, routerId, wanted, false);
  const current = (await routesOf(trx, [routerId])).get(routerId) ?? [];
  const [before, after] = [new Set(current.map(keyOf)), new Set(wanted.map(keyOf))];
  const removed = current.filter((route) => !after.has(keyOf(route)));
  const added = wanted.filter((route) => !before.has(keyOf(route)));
  for (const { destination, nexthop } of removed)
    await trx
      .deleteFrom('routerroutes')
      .where('router_id', '=', routerId)
      .where('destination', '=', destination)
      .where('nexthop', '=', nexthop)
      .execute();
  if (added.length > 0)
    await trx
      .insertInto('routerroutes')
      .values(added.map((route) => ({ router_id: routerId, ...route })))
      .execute();
  return added.length + removed.length > 0;
}

/** Returns the routes of both lists, each once. */
export function union(routes: readonly HostRoute[], more: readonly HostRoute[]): readonly HostRoute[] {
  return [...new Map([...routes, ...more].map((route) => [keyOf(route), route])).values()];
}

/** Returns the routes that are not in the second list. */
export function difference(routes: readonly HostRoute[], less: readonly HostRoute[]): readonly HostRoute[] {
  const gone = new Set(less.map(keyOf));
  return routes.filter((route) => !gone.has(keyOf(route)));
}
