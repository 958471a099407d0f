import { randomUUID } from 'node:crypto';
import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { checkedPools, defaultGateway, defaultPools, requireGatewayOutside } from '../../ipam/pools.ts';
import { type Cidr, cidrsOverlap, formatCidr, formatIp, type Ip, parseCidr } from '../../net/addresses.ts';
import { neutronError } from '../../resources/errors.ts';
import { SUBNET } from '../../resources/subnet.ts';
import { PREFIX_DELEGATION } from '../../resources/subnetpool-types.ts';
import { EVENTS } from '../../rpc/events.ts';
import { insertPlain, plainOf } from '../../store/rows.ts';
import { bumpRevision, newStandard } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { inserted } from '../module.ts';
import { lockNetwork } from '../networks/lock.ts';
import { addToGateways } from '../ports/gateway-addresses.ts';
import { isAutoAddress } from '../ports/network-facts.ts';
import { originsIn, requireAffinity } from './affinity.ts';
import {
  checkDhcpPossible,
  checkGateway,
  checkHostRoutes,
  checkModes,
  checkNameservers,
  rejectWholeAddressSpace,
} from './checks.ts';
import { type SubnetDocument, subnetDocuments } from './documents.ts';
import { peersOf, updatePeers, withPeerRoutes } from './peer-routes.ts';
import { allocateAutomaticAddresses } from './port-addresses.ts';
import { setHostRoutes, setNameservers, setPools, setServiceTypes } from './rows.ts';
import { checkSegment } from './segment.ts';
import { choosePrefix, prefixSource, type SubnetCreate } from './source.ts';

const NEW = 'new subnet';

/** Checks the values that do not depend on other subnets. */
function checkValues(core: Core, values: SubnetCreate, cidr: Cidr): void {
  const { config } = core;
  if (values.enable_dhcp) checkDhcpPossible(cidr);
  if (typeof values.gateway_ip === 'string') checkGateway(cidr, values.gateway_ip);
  checkNameservers(config, values.dns_nameservers, cidr.version, NEW);
  checkHostRoutes(config, values.host_routes, cidr.version, NEW);
  const modes = { raMode: values.ipv6_ra_mode ?? null, addressMode: values.ipv6_address_mode ?? null };
  checkModes(cidr, modes, values.enable_dhcp);
}

/** Returns the requested gateway, or the default one. `allocated`: the pool chose the prefix; then, as in Neutron, it is the second address. */
function gatewayOf(values: SubnetCreate, cidr: Cidr, allocated: boolean): Ip | undefined {
  if (values.gateway_ip === null) return undefined;
  if (values.gateway_ip !== undefined) return checkGateway(cidr, values.gateway_ip);
  const second = cidr.first + 1n;
  return allocated && second <= cidr.last ? { version: cidr.version, value: second } : defaultGateway(cidr);
}

async function rejectOverlap(trx: Trx, networkId: string, cidr: Cidr): Promise<void> {
  rejectWholeAddressSpace(cidr);
  const others = await trx
    .selectFrom('subnets')
    .select(['cidr', 'subnetpool_id'])
    .where('network_id', '=', networkId)
    .execute();
  for (const other of others) {
    // Delegated prefixes are provisional.
    const known = other.subnetpool_id === PREFIX_DELEGATION ? undefined : parseCidr(other.cidr);
    if (known && cidrsOverlap(cidr, known))
      throw neutronError('InvalidInput', {
        reason: `Requested subnet with cidr: ${formatCidr(cidr)} for network: ${networkId} overlaps with another subnet`,
      });
  }
}

/**
 * Creates a subnet in the caller's transaction and enqueues the notifications of agents; returns its document. Throws
 * NeutronError.
 */
export async function createSubnet(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  caller: Caller,
  values: SubnetCreate,
): Promise<SubnetDocument> {
  const source = await prefixSource(trx, core, caller, values);
  if (source.cidr) checkValues(core, values, source.cidr);
  const network = await lockNetwork(trx, core.db, values.network_id);
  const existing = await originsIn(trx, network.id, values.ip_version);
  const { cidr, pools: prefixPools } = await choosePrefix(trx, core, caller, values, source, existing);
  if (!source.cidr) checkValues(core, values, cidr);
  const gateway = gatewayOf(values, cidr, !source.cidr);
  // An empty list is equivalent to no list.
  const named = values.allocation_pools && values.allocation_pools.length > 0 ? values.allocation_pools : undefined;
  const pools = named ? checkedPools(cidr, named) : defaultPools(cidr, gateway);
  if (named) requireGatewayOutside(cidr, gateway, pools);
  await rejectOverlap(trx, network.id, cidr);
  requireAffinity(source.poolId, existing, prefixPools);
  await checkSegment(trx, network.id, values.segment_id, values.service_types);

  const id = randomUUID();
  const { service_types: serviceTypes, ipv6_ra_mode: raMode = null, ipv6_address_mode: addressMode = null } = values;
  await insertPlain(trx, SUBNET, {
    ...plainOf(SUBNET, values),
    id,
    cidr: formatCidr(cidr),
    gateway_ip: gateway ? formatIp(gateway.version, gateway.value) : null,
    ipv6_ra_mode: raMode,
    ipv6_address_mode: addressMode,
    subnetpool_id: source.poolId ?? null,
    // As in Neutron, the service types of a new subnet increment its revision.
    ...newStandard(serviceTypes.length > 0 ? 1 : 0),
  });
  await setPools(trx, id, cidr.version, pools);
  await setNameservers(trx, id, values.dns_nameservers);
  const { segment_id: segmentId } = values;
  const routes =
    segmentId === null
      ? values.host_routes
      : withPeerRoutes(
          values.host_routes,
          { id, version: cidr.version, segmentId, gateway: gateway ? formatIp(gateway.version, gateway.value) : null },
          await peersOf(trx, network.id),
        );
  await setHostRoutes(trx, id, routes);
  await setServiceTypes(trx, id, serviceTypes);
  // The network's document contains the list of its subnets.
  await bumpRevision(trx, network.standard_attr_id);

  const document = inserted((await subnetDocuments(trx, [id])).get(id), 'subnet', id);
  await enqueueNotification(trx, EVENTS.subnet_create_end, { subnet: document }, { network: network.id });
  await updatePeers(trx, network.id, { id, segmentId });
  if (isAutoAddress(raMode, addressMode)) await allocateAutomaticAddresses(trx, core, network, { id, cidr, segmentId });
  else await addToGateways(trx, core, allocator, network.id, { id, ipVersion: cidr.version });
  return document;
}
