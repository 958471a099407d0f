import { randomUUID } from 'node:crypto';
import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { checkedPools, defaultGateway, defaultPools, requireGatewayOutside } from '../../ipam/pools.ts';
import { type Cidr, cidrsOverlap, formatCidr, formatIp, type Ip, parseCidr } from '../../net/addresses.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { SUBNET } from '../../resources/subnet.ts';
import { EVENTS } from '../../rpc/events.ts';
import { insertPlain, plainOf } from '../../store/rows.ts';
import { bumpRevision, newStandard } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { inserted } from '../module.ts';
import { lockNetwork } from '../networks/lock.ts';
import { isAutoAddress } from '../ports/network-facts.ts';
import { requireVisibleNetwork } from '../visibility.ts';
import {
  checkCidr,
  checkDhcpPossible,
  checkGateway,
  checkHostRoutes,
  checkModes,
  checkNameservers,
  rejectWholeAddressSpace,
} from './checks.ts';
import { type SubnetDocument, subnetDocuments } from './documents.ts';
import { allocateAutomaticAddresses } from './port-addresses.ts';
import { setHostRoutes, setNameservers, setPools, setServiceTypes } from './rows.ts';
import { checkSegment } from './segment.ts';

export type SubnetCreate = CreateOf<typeof SUBNET>;

const NEW = 'new subnet';
const badSubnets = (reason: string) => neutronError('BadRequest', { resource: 'subnets', reason });

/** Returns the requested prefix, or the pool to allocate it from: one of the two is required. */
function wantedPrefix(values: SubnetCreate): {
  readonly cidr: string | undefined;
  readonly poolId: string | undefined;
} {
  const cidr = values.cidr ?? undefined;
  const poolId = values.subnetpool_id ?? undefined;
  if (cidr !== undefined && values.prefixlen !== undefined)
    throw badSubnets('cidr and prefixlen must not be supplied together');
  if (values.use_default_subnetpool) {
    if (poolId !== undefined) throw badSubnets('subnetpool_id and use_default_subnetpool cannot both be specified');
    throw badSubnets(`No default subnetpool found for IPv${values.ip_version}`);
  }
  if (cidr === undefined && poolId === undefined)
    throw badSubnets('a subnetpool must be specified in the absence of a cidr');
  return { cidr, poolId };
}

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

function gatewayOf(values: SubnetCreate, cidr: Cidr): Ip | undefined {
  if (values.gateway_ip === null) return undefined;
  return values.gateway_ip === undefined ? defaultGateway(cidr) : checkGateway(cidr, values.gateway_ip);
}

async function rejectOverlap(trx: Trx, networkId: string, cidr: Cidr): Promise<void> {
  rejectWholeAddressSpace(cidr);
  const others = await trx.selectFrom('subnets').select('cidr').where('network_id', '=', networkId).execute();
  for (const other of others) {
    const known = parseCidr(other.cidr);
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
  caller: Caller,
  values: SubnetCreate,
): Promise<SubnetDocument> {
  const wanted = wantedPrefix(values);
  const cidr = wanted.cidr === undefined ? undefined : checkCidr(wanted.cidr, values.ip_version);
  if (cidr) checkValues(core, values, cidr);
  await requireVisibleNetwork(trx, caller, values.network_id);
  const network = await lockNetwork(trx, core.db, values.network_id);
  if (wanted.poolId !== undefined || !cidr) throw neutronError('SubnetPoolNotFound', { id: wanted.poolId ?? 'None' });

  const gateway = gatewayOf(values, cidr);
  // An empty list is equivalent to no list.
  const named = values.allocation_pools && values.allocation_pools.length > 0 ? values.allocation_pools : undefined;
  const pools = named ? checkedPools(cidr, named) : defaultPools(cidr, gateway);
  if (named) requireGatewayOutside(cidr, gateway, pools);
  await rejectOverlap(trx, network.id, cidr);
  await checkSegment(trx, network.id, values.segment_id);

  const id = randomUUID();
  const { service_types: serviceTypes, ipv6_ra_mode: raMode = null, ipv6_address_mode: addressMode = null } = values;
  await insertPlain(trx, SUBNET, {
    ...plainOf(SUBNET, values),
    id,
    cidr: formatCidr(cidr),
    gateway_ip: gateway ? formatIp(gateway.version, gateway.value) : null,
    ipv6_ra_mode: raMode,
    ipv6_address_mode: addressMode,
    subnetpool_id: null,
    // As in Neutron, the service types of a new subnet increment its revision.
    ...newStandard(serviceTypes.length > 0 ? 1 : 0),
  });
  await setPools(trx, id, cidr.version, pools);
  await setNameservers(trx, id, values.dns_nameservers);
  await setHostRoutes(trx, id, values.host_routes);
  await setServiceTypes(trx, id, serviceTypes);
  // The network's document contains the list of its subnets.
  await bumpRevision(trx, network.standard_attr_id);

  const document = inserted((await subnetDocuments(trx, [id])).get(id), 'subnet', id);
  await enqueueNotification(trx, EVENTS.subnet_create_end, { subnet: document }, { network: network.id });
  if (isAutoAddress(raMode, addressMode)) await allocateAutomaticAddresses(trx, core, network, { id, cidr });
  return document;
}
