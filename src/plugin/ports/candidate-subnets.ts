import type { Trx } from '../../db/database.ts';
import { cidrContains, parseIp } from '../../net/addresses.ts';
import { DISTRIBUTED_OWNER } from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';
import type { WantedFixedIp } from '../../resources/port-types.ts';
import { segmentsOfHost } from '../../scheduler/segment-hosts.ts';
import type { NetworkFacts, SubnetFacts } from './network-facts.ts';

/** What decides from which subnets of a routed network a port can have addresses. */
interface Asking {
  readonly deviceOwner: string;
  /** Empty: not known yet. */
  readonly host: string;
  /** The requested fixed IPs; undefined: none are requested, so that default ones are allocated. */
  readonly wanted: readonly WantedFixedIp[] | undefined;
}

/** Returns the subnets that a port with this owner can have addresses from: those for its owner, and those for all. */
export const suitableSubnets = (network: NetworkFacts, deviceOwner: string): readonly SubnetFacts[] =>
  network.subnets.filter((s) => s.serviceTypes.length === 0 || s.serviceTypes.includes(deviceOwner));

/** Returns whether subnets of the network belong to segments, so that a port's host decides which addresses it can have. */
export const isRouted = (network: NetworkFacts): boolean => network.subnets.some((s) => s.segmentId !== null);

/**
 * Returns the network with only the subnets from which the port can have addresses; undefined if the allocation must wait for the
 * port's host. Throws HostNotConnectedToAnySegment, HostConnectedToMultipleSegments, FixedIpsSubnetsNotOnSameSegment.
 */
export async function withCandidateSubnets(
  trx: Trx,
  network: NetworkFacts,
  asking: Asking,
): Promise<NetworkFacts | undefined> {
  if (!isRouted(network)) return network;
  if (asking.host !== '') return reachable(trx, network, asking);
  return asking.wanted ? onOneSegment(network, asking, asking.wanted) : offSegments(network, asking);
}

async function reachable(trx: Trx, network: NetworkFacts, { deviceOwner, host }: Asking): Promise<NetworkFacts> {
  const segments = new Set(network.subnets.map((s) => s.segmentId).filter((id) => id !== null));
  const reached = await segmentsOfHost(trx, host, [...segments]);
  const subnets = network.subnets.filter((s) => s.segmentId === null || reached.has(s.segmentId));
  const suitable = suitableSubnets({ ...network, subnets }, deviceOwner);
  if (suitable.length === 0) throw neutronError('HostNotConnectedToAnySegment', { host, network: network.id });
  const used = new Set(suitable.map((s) => s.segmentId).filter((id) => id !== null));
  if (used.size > 1 && deviceOwner !== DISTRIBUTED_OWNER)
    throw neutronError('HostConnectedToMultipleSegments', { host, network: network.id });
  return { ...network, subnets };
}

/** Without a host, only subnets without a segment can be used. */
function offSegments(network: NetworkFacts, { deviceOwner }: Asking): NetworkFacts | undefined {
  const suitable = suitableSubnets(network, deviceOwner);
  const free = suitable.filter((s) => s.segmentId === null);
  if (free.length > 0) return { ...network, subnets: free };
  return suitable.length > 0 ? undefined : network;
}

/** Without a host, requested addresses decide the segment. It is compared with the host when the port gets one. */
function onOneSegment(
  network: NetworkFacts,
  { deviceOwner }: Asking,
  wanted: readonly WantedFixedIp[],
): NetworkFacts | undefined {
  const subnets = wanted.map((one) => subnetOf(network, one));
  // Unknown subnets and addresses have their own errors.
  if (subnets.includes(undefined)) return network;
  const segments = new Set(subnets.map((s) => s?.segmentId ?? null));
  if (segments.size > 1) {
    if (deviceOwner === DISTRIBUTED_OWNER) return network;
    throw neutronError('FixedIpsSubnetsNotOnSameSegment', { network: network.id });
  }
  return { ...network, subnets: network.subnets.filter((s) => segments.has(s.segmentId)) };
}

function subnetOf(network: NetworkFacts, { subnet_id, ip_address }: WantedFixedIp): SubnetFacts | undefined {
  if (subnet_id !== undefined) return network.subnets.find((s) => s.id === subnet_id);
  const ip = ip_address === undefined ? undefined : parseIp(ip_address);
  return ip && network.subnets.find((s) => cidrContains(s.cidr, ip));
}
