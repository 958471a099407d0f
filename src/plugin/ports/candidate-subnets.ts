import type { Trx } from '../../db/database.ts';
import { cidrContains, parseIp } from '../../net/addresses.ts';
import { DISTRIBUTED_OWNER } from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';
import type { FixedIp, WantedFixedIp } from '../../resources/port-types.ts';
import { connectsSegments } from '../../scheduler/l2-agents.ts';
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

/** The network with only the subnets from which a port can have addresses, once for each segment on which it can be. */
export type Candidates = readonly [NetworkFacts, ...NetworkFacts[]];

/** Returns the subnets that a port with this owner can have addresses from: those for its owner, and those for all. */
export const suitableSubnets = (network: NetworkFacts, deviceOwner: string): readonly SubnetFacts[] =>
  network.subnets.filter((s) => s.serviceTypes.length === 0 || s.serviceTypes.includes(deviceOwner));

/** Returns whether subnets of the network belong to segments, so that a port's host decides which addresses it can have. */
const isRouted = (network: NetworkFacts): boolean => network.subnets.some((s) => s.segmentId !== null);

/**
 * Returns the network with the subnets from which the port can have addresses; undefined if the allocation must wait for the port's
 * host. Throws HostNotConnectedToAnySegment, HostConnectedToMultipleSegments, FixedIpsSubnetsNotOnSameSegment.
 */
export async function candidateSubnets(
  trx: Trx,
  network: NetworkFacts,
  asking: Asking,
): Promise<Candidates | undefined> {
  if (!isRouted(network)) return [network];
  if (asking.host !== '') return reachable(trx, network, asking);
  if (asking.wanted) return [onOneSegment(network, asking.deviceOwner, asking.wanted)];
  const free = offSegments(network, asking.deviceOwner);
  return free && [free];
}

/**
 * Returns the candidates on another host for a port of a routed network, which keeps its addresses; undefined for other networks.
 * Throws HostNotCompatibleWithFixedIps, and as `candidateSubnets` does.
 */
export async function candidatesOnHost(
  trx: Trx,
  network: NetworkFacts,
  port: { readonly id: string; readonly deviceOwner: string; readonly fixed_ips: readonly FixedIp[] },
  host: string,
): Promise<Candidates | undefined> {
  if (!isRouted(network)) return undefined;
  const candidates = await candidateSubnets(trx, network, { deviceOwner: port.deviceOwner, host, wanted: undefined });
  const valid = new Set(candidates?.flatMap(({ subnets }) => subnets.map((s) => s.id)));
  if (port.fixed_ips.some((ip) => !valid.has(ip.subnet_id)))
    throw neutronError('HostNotCompatibleWithFixedIps', { host, port: port.id });
  return candidates;
}

async function reachable(trx: Trx, network: NetworkFacts, { deviceOwner, host, wanted }: Asking): Promise<Candidates> {
  const reached = await segmentsOfHost(trx, host, [...segmentsIn(network.subnets)]);
  const subnets = network.subnets.filter((s) => s.segmentId === null || reached.has(s.segmentId));
  const here = { ...network, subnets };
  const suitable = suitableSubnets(here, deviceOwner);
  if (suitable.length === 0) throw neutronError('HostNotConnectedToAnySegment', { host, network: network.id });
  const [first, ...others] = segmentsIn(suitable);
  if (first === undefined || others.length === 0 || deviceOwner === DISTRIBUTED_OWNER) return [here];
  // The bridge of a network would join its segments.
  if (!(await connectsSegments(trx, host)))
    throw neutronError('HostConnectedToMultipleSegments', { host, network: network.id });
  if (wanted) return [onOneSegment(here, deviceOwner, wanted)];
  const on = (segment: string) => ({ ...network, subnets: subnets.filter((s) => s.segmentId === segment) });
  return [on(first), ...others.map(on)];
}

const segmentsIn = (subnets: readonly SubnetFacts[]): ReadonlySet<string> =>
  new Set(subnets.map((s) => s.segmentId).filter((id) => id !== null));

/** Without a host, only subnets without a segment can be used. */
function offSegments(network: NetworkFacts, deviceOwner: string): NetworkFacts | undefined {
  const suitable = suitableSubnets(network, deviceOwner);
  const free = suitable.filter((s) => s.segmentId === null);
  if (free.length > 0) return { ...network, subnets: free };
  return suitable.length > 0 ? undefined : network;
}

/** Requested addresses decide the segment. Without a host, it is compared with that when the port gets one. */
function onOneSegment(network: NetworkFacts, deviceOwner: string, wanted: readonly WantedFixedIp[]): NetworkFacts {
  const subnets = wanted.map((one) => subnetOf(network, one));
  // Unknown subnets and addresses have their own errors.
  if (subnets.length === 0 || subnets.includes(undefined)) return network;
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
