import type { Trx } from '../../db/database.ts';
import type { PoolRange } from '../../ipam/candidates.ts';
import { checkedPools, requireGatewayOutside } from '../../ipam/pools.ts';
import { type Cidr, type Ip, parseIp } from '../../net/addresses.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { SUBNET } from '../../resources/subnet.ts';
import type { HostRoute } from '../../resources/subnet-types.ts';
import { EVENTS } from '../../rpc/events.ts';
import { plainOf, updatePlain } from '../../store/rows.ts';
import { bumpRevision, requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { inserted } from '../module.ts';
import { notifyRoutersWithGateway } from '../ports/gateway-addresses.ts';
import { checkCidr, checkDhcpPossible, checkGateway, checkHostRoutes, checkNameservers } from './checks.ts';
import { type SubnetDocument, subnetDocuments } from './documents.ts';
import { type LockedSubnet, lockSubnet } from './lock.ts';
import { peersOf, withPeerRoutes } from './peer-routes.ts';
import { requireGatewayUnused } from './port-addresses.ts';
import { setHostRoutes, setNameservers, setPools, setServiceTypes } from './rows.ts';
import { checkSegmentChange } from './segment.ts';

export type SubnetUpdate = UpdateOf<typeof SUBNET>;

const versionOf = (subnet: LockedSubnet): 4 | 6 => (subnet.ip_version === 6 ? 6 : 4);

function checkDhcp(subnet: LockedSubnet, cidr: Cidr, enable: boolean | undefined): void {
  if (enable === true && subnet.enable_dhcp === 0) checkDhcpPossible(cidr);
  if (enable === false && (subnet.ipv6_ra_mode !== null || subnet.ipv6_address_mode !== null))
    throw neutronError('InvalidInput', { reason: 'Cannot disable enable_dhcp with ipv6 attributes set' });
}

async function storedPools(trx: Trx, subnetId: string): Promise<readonly PoolRange[]> {
  const rows = await trx.selectFrom('ipallocationpools').selectAll().where('subnet_id', '=', subnetId).execute();
  return rows.map((r) => ({ first: parseIp(r.first_ip)?.value ?? 0n, last: parseIp(r.last_ip)?.value ?? -1n }));
}

/** Checks that gateway and pools do not conflict, whichever of them changes. Returns the new pools, if any. */
async function checkGatewayAndPools(
  trx: Trx,
  subnet: LockedSubnet,
  cidr: Cidr,
  changes: SubnetUpdate,
): Promise<readonly PoolRange[] | undefined> {
  const { gateway_ip: wanted, allocation_pools: named } = changes;
  const moved = wanted !== undefined && wanted !== subnet.gateway_ip;
  if (typeof wanted === 'string') {
    checkGateway(cidr, wanted);
    if (moved && subnet.gateway_ip !== null) await requireGatewayUnused(trx, subnet.id, subnet.gateway_ip);
  }
  const pools = named && checkedPools(cidr, named);
  if (!moved && !pools) return undefined;
  const inForce = wanted === undefined ? subnet.gateway_ip : wanted;
  const gateway: Ip | undefined = inForce === null ? undefined : parseIp(inForce);
  requireGatewayOutside(cidr, gateway, pools ?? (await storedPools(trx, subnet.id)));
  return pools;
}

/** Returns the new routes of a subnet, if they or, on a segment, its gateway change; on a segment, with those to its peers. */
async function routesAfter(
  trx: Trx,
  { id, network_id, segment_id: segmentId, ip_version, gateway_ip: before }: LockedSubnet,
  changes: SubnetUpdate,
): Promise<readonly HostRoute[] | undefined> {
  const { gateway_ip: gateway = before } = changes;
  if (segmentId === null || (changes.host_routes === undefined && gateway === before)) return changes.host_routes;
  const routes = changes.host_routes ?? (await subnetDocuments(trx, [id])).get(id)?.host_routes ?? [];
  const former = gateway === before ? {} : { gateway: before };
  const version = ip_version === 6 ? 6 : 4;
  return withPeerRoutes(routes, { id, version, segmentId, gateway }, await peersOf(trx, network_id), former);
}

/**
 * Updates a subnet in the caller's transaction and enqueues the notifications of agents; returns its new document.
 * Throws NeutronError: SubnetNotFound, RevisionNumberConstraintFailed, and for invalid changes.
 */
export async function updateSubnet(
  trx: Trx,
  core: Core,
  id: string,
  changes: SubnetUpdate,
  revision?: number,
): Promise<SubnetDocument> {
  const { subnet, network } = await lockSubnet(trx, core.db, id);
  await requireRevision(trx, subnet.standard_attr_id, revision);
  const version = versionOf(subnet);
  const cidr = checkCidr(subnet.cidr, version);
  checkDhcp(subnet, cidr, changes.enable_dhcp);
  const pools = await checkGatewayAndPools(trx, subnet, cidr, changes);
  if (changes.dns_nameservers) checkNameservers(core.config, changes.dns_nameservers, version, id);
  if (changes.host_routes) checkHostRoutes(core.config, changes.host_routes, version, id);
  if (changes.segment_id !== undefined && changes.segment_id !== subnet.segment_id)
    await checkSegmentChange(trx, network.id, subnet, changes.segment_id);

  await updatePlain(trx, SUBNET, { id, attr: subnet.standard_attr_id }, plainOf(SUBNET, changes));
  if (pools) await setPools(trx, id, version, pools);
  if (changes.dns_nameservers) await setNameservers(trx, id, changes.dns_nameservers);
  const routes = await routesAfter(trx, subnet, changes);
  if (routes) await setHostRoutes(trx, id, routes);
  if (changes.service_types) await setServiceTypes(trx, id, changes.service_types);
  // As in Neutron, every PUT increments the revision of the subnet and of its network, even if nothing changes.
  await bumpRevision(trx, subnet.standard_attr_id, revision);
  await bumpRevision(trx, network.standard_attr_id);

  const document = inserted((await subnetDocuments(trx, [id])).get(id), 'subnet', id);
  await enqueueNotification(trx, EVENTS.subnet_update_end, { subnet: document }, { network: network.id });
  // Their default route changes.
  if (document.gateway_ip !== subnet.gateway_ip) await notifyRoutersWithGateway(trx, id);
  return document;
}
