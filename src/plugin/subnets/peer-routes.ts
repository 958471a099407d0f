import type { Trx } from '../../db/database.ts';
import { type Cidr, parseCidr } from '../../net/addresses.ts';
import type { HostRoute } from '../../resources/subnet-types.ts';
import { EVENTS } from '../../rpc/events.ts';
import { bumpRevision } from '../../store/standard-attributes.ts';
import { enqueueNotification } from '../events.ts';
import { inserted } from '../module.ts';
import { subnetDocuments } from './documents.ts';
import { setHostRoutes } from './rows.ts';

/**
 * Routes between the subnets of a routed network (extension segments-peer-subnet-host-routes): hosts of each subnet reach those of
 * other segments over the gateway of their own.
 */

/** A subnet whose routes are computed. */
interface RoutedSubnet {
  /** Undefined: it does not exist yet. */
  readonly id?: string;
  readonly version: 4 | 6;
  readonly segmentId: string | null;
  readonly gateway: string | null;
}

interface Peer {
  readonly id: string;
  readonly cidr: string;
  readonly version: number;
  readonly segmentId: string | null;
}

/** What no longer holds. */
interface Former {
  /** The gateway before the change. */
  readonly gateway?: string | null;
  /** The CIDR of a deleted subnet. */
  readonly cidr?: string;
}

const covers = (outer: Cidr | undefined, inner: Cidr | undefined): boolean =>
  outer !== undefined &&
  inner !== undefined &&
  outer.version === inner.version &&
  outer.first <= inner.first &&
  outer.last >= inner.last;

/** Returns the routes of a subnet with those to its peers, unless a route covers them, and without former ones. */
export function withPeerRoutes(
  routes: readonly HostRoute[],
  subnet: RoutedSubnet,
  subnets: readonly Peer[],
  former: Former = {},
): readonly HostRoute[] {
  const peers = subnets.filter(
    ({ id, segmentId, version }) => id !== subnet.id && segmentId !== subnet.segmentId && version === subnet.version,
  );
  const isFormer = ({ destination, nexthop }: HostRoute): boolean =>
    (destination === former.cidr && nexthop === subnet.gateway) ||
    (nexthop === former.gateway && peers.some(({ cidr }) => cidr === destination));
  const kept = routes.filter((route) => !isFormer(route));
  const { gateway } = subnet;
  if (gateway === null) return kept;
  const destinations = kept.map(({ destination }) => parseCidr(destination));
  const missing = peers.filter(({ cidr }) => {
    const peer = parseCidr(cidr);
    return !destinations.some((one) => covers(one, peer));
  });
  return [...kept, ...missing.map(({ cidr }) => ({ destination: cidr, nexthop: gateway }))];
}

/** Returns the subnets of a network as peers. */
export async function peersOf(trx: Trx, networkId: string): Promise<readonly Peer[]> {
  return trx
    .selectFrom('subnets')
    .select(['id', 'cidr', 'ip_version as version', 'segment_id as segmentId'])
    .where('network_id', '=', networkId)
    .orderBy('id')
    .execute();
}

/**
 * Adds to the other subnets of a routed network the routes to a new one, or removes those to a deleted one. `subnet`: its CIDR is
 * former if it was deleted.
 */
export async function updatePeers(
  trx: Trx,
  networkId: string,
  subnet: { readonly id: string; readonly segmentId: string | null; readonly deletedCidr?: string },
): Promise<void> {
  if (subnet.segmentId === null) return;
  const peers = await peersOf(trx, networkId);
  const documents = await subnetDocuments(
    trx,
    peers.map(({ id }) => id).filter((id) => id !== subnet.id),
  );
  const former: Former = subnet.deletedCidr === undefined ? {} : { cidr: subnet.deletedCidr };
  for (const {
    id,
    ip_version: version,
    segment_id: segmentId,
    gateway_ip: gateway,
    host_routes,
  } of documents.values()) {
    const routes = withPeerRoutes(host_routes, { id, version, segmentId, gateway }, peers, former);
    if (routes.length === host_routes.length && routes.every((route) => host_routes.includes(route))) continue;
    await setHostRoutes(trx, id, routes);
    const { attr } = await trx
      .selectFrom('subnets')
      .select('standard_attr_id as attr')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    await bumpRevision(trx, attr);
    const changed = inserted((await subnetDocuments(trx, [id])).get(id), 'subnet', id);
    await enqueueNotification(trx, EVENTS.subnet_update_end, { subnet: changed }, { network: networkId });
  }
}
