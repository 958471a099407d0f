import type { Trx } from '../../db/database.ts';
import { type AddressAllocator, takeAddress } from '../../ipam/allocate.ts';
import { cidrContains, eui64Address, formatIp, type Ip, parseIp } from '../../net/addresses.ts';
import { isRouterInterface, isRouterPort, isRouterSubnetPort } from '../../net/device-owners.ts';
import { NeutronError, neutronError } from '../../resources/errors.ts';
import type { FixedIp, WantedFixedIp } from '../../resources/port-types.ts';
import { type Candidates, suitableSubnets } from './candidate-subnets.ts';
import type { NetworkFacts, SubnetFacts } from './network-facts.ts';

/** The port whose addresses are allocated. */
export interface AddressedPort {
  readonly id: string;
  readonly mac: string;
  readonly deviceOwner: string;
}

/** Returns whether a host can have this address in the subnet: not the network address, nor the IPv4 broadcast address. */
function isHostAddress(subnet: SubnetFacts, ip: Ip): boolean {
  if (!cidrContains(subnet.cidr, ip)) return false;
  const bits = subnet.ipVersion === 4 ? 32 : 128;
  if (subnet.cidr.prefixLength >= bits - 1) return true;
  return ip.value !== subnet.cidr.first && (subnet.ipVersion === 6 || ip.value !== subnet.cidr.last);
}

/** Resolves requested fixed IPs: finds the subnet of each entry and validates its address. */
type Resolved = { readonly subnet: SubnetFacts; readonly value?: bigint };

function resolve(network: NetworkFacts, port: AddressedPort, wanted: WantedFixedIp): Resolved {
  const { subnet_id: subnetId, ip_address: address } = wanted;
  if (subnetId === undefined && address === undefined)
    throw neutronError('InvalidInput', { reason: 'IP allocation requires subnet_id or ip_address' });
  const ip = address === undefined ? undefined : parseIp(address);
  const subnet =
    subnetId === undefined
      ? network.subnets.find((s) => ip && isHostAddress(s, ip))
      : network.subnets.find((s) => s.id === subnetId);
  if (!subnet) throw neutronError('InvalidIpForNetwork', { ip: address ?? '' });
  if (ip === undefined) return { subnet };
  if (!isHostAddress(subnet, ip) && !isRouterPort(port.deviceOwner))
    throw neutronError('InvalidIpForSubnet', { ip: address ?? '' });
  if (!cidrContains(subnet.cidr, ip)) throw neutronError('InvalidIpForSubnet', { ip: address ?? '' });
  if (subnet.autoAddress && !isRouterInterface(port.deviceOwner))
    throw neutronError('AllocationOnAutoAddressSubnet', { ip: address ?? '', subnet: subnet.id });
  return { subnet, value: ip.value };
}

/** Returns the requested subnet. It must exist and be on the port's network. */
async function requireOwnSubnets(trx: Trx, network: NetworkFacts, wanted: readonly WantedFixedIp[]): Promise<void> {
  for (const { subnet_id: id } of wanted) {
    if (id === undefined || network.subnets.some((s) => s.id === id)) continue;
    const elsewhere = await trx.selectFrom('subnets').select('id').where('id', '=', id).executeTakeFirst();
    if (!elsewhere) throw neutronError('SubnetNotFound', { id });
    throw neutronError('InvalidInput', {
      reason: `Failed to create port on network ${network.id}, because fixed_ips included invalid subnet ${id}`,
    });
  }
}

async function allocateExact(trx: Trx, subnet: SubnetFacts, port: AddressedPort, value: bigint): Promise<FixedIp> {
  const ip = formatIp(subnet.ipVersion, value);
  if (!(await takeAddress(trx, subnet, port.id, value)))
    throw neutronError('IpAddressAlreadyAllocated', { ip, subnet: subnet.id });
  return { subnet_id: subnet.id, ip_address: ip };
}

async function allocateAny(
  trx: Trx,
  allocator: AddressAllocator,
  network: NetworkFacts,
  port: AddressedPort,
  subnets: readonly SubnetFacts[],
): Promise<FixedIp> {
  for (const subnet of subnets) {
    const ip = await allocator.take(trx, subnet, port.id);
    if (ip !== undefined) return { subnet_id: subnet.id, ip_address: ip };
  }
  throw neutronError('IpAddressGenerationFailure', { network: network.id });
}

/**
 * Returns whether the port's address in the subnet is automatic: it is derived from the MAC address, allocated without being requested,
 * and the port keeps it as long as the subnet exists. Routers choose their addresses.
 */
export const isAutomatic = (subnet: SubnetFacts, deviceOwner: string): boolean =>
  subnet.autoAddress && !isRouterSubnetPort(deviceOwner);

/**
 * Allocates the requested fixed IPs, and the automatic address of each SLAAC or stateless subnet in which the port has none
 * (`having`: the subnets where it has one). The port's row must already exist.
 */
export async function allocateRequested(
  trx: Trx,
  allocator: AddressAllocator,
  network: NetworkFacts,
  port: AddressedPort,
  wanted: readonly WantedFixedIp[],
  having: ReadonlySet<string> = new Set(),
): Promise<readonly FixedIp[]> {
  const suitable = { ...network, subnets: suitableSubnets(network, port.deviceOwner) };
  await requireOwnSubnets(trx, suitable, wanted);
  const resolved = wanted
    .map((w) => resolve(suitable, port, w))
    .filter(({ subnet, value }) => value !== undefined || !isAutomatic(subnet, port.deviceOwner));
  const taken: FixedIp[] = [];
  // Explicit addresses first, so that an address allocated for another entry cannot be one of them.
  for (const { subnet, value } of resolved)
    if (value !== undefined) taken.push(await allocateExact(trx, subnet, port, value));
  for (const { subnet, value } of resolved)
    if (value === undefined) taken.push(await allocateAny(trx, allocator, network, port, [subnet]));
  for (const subnet of suitable.subnets)
    if (isAutomatic(subnet, port.deviceOwner) && !having.has(subnet.id))
      taken.push(await allocateExact(trx, subnet, port, eui64Address(subnet.cidr.first, port.mac)));
  return taken;
}

/**
 * Allocates the default fixed IPs of a port on the first of `candidates` that has enough addresses, one network for each segment that
 * its host reaches.
 */
export async function allocateOnSegment(
  trx: Trx,
  allocator: AddressAllocator,
  [network, ...others]: Candidates,
  port: AddressedPort,
): Promise<readonly FixedIp[]> {
  const [next, ...more] = others;
  if (!next) return allocateDefault(trx, allocator, network, port);
  try {
    return await allocateDefault(trx, allocator, network, port);
  } catch (error) {
    if (!(error instanceof NeutronError) || error.type !== 'IpAddressGenerationFailure') throw error;
    await trx.deleteFrom('ipallocations').where('port_id', '=', port.id).execute();
    return allocateOnSegment(trx, allocator, [next, ...more], port);
  }
}

/**
 * Allocates the default fixed IPs of a port: one address from the network's IPv4 subnets, one from its stateful IPv6 subnets,
 * and the automatic address of each SLAAC or stateless subnet.
 */
async function allocateDefault(
  trx: Trx,
  allocator: AddressAllocator,
  network: NetworkFacts,
  port: AddressedPort,
): Promise<readonly FixedIp[]> {
  const subnets = suitableSubnets(network, port.deviceOwner);
  if (subnets.length === 0) {
    if (network.subnets.length > 0) throw neutronError('IpAddressGenerationFailure', { network: network.id });
    return [];
  }
  const v4 = subnets.filter((s) => s.ipVersion === 4);
  const automatic = subnets.filter((s) => isAutomatic(s, port.deviceOwner));
  const stateful = subnets.filter((s) => s.ipVersion === 6 && !s.autoAddress);
  const taken: FixedIp[] = [];
  for (const subnet of automatic)
    taken.push(await allocateExact(trx, subnet, port, eui64Address(subnet.cidr.first, port.mac)));
  if (v4.length > 0) taken.push(await allocateAny(trx, allocator, network, port, v4));
  if (stateful.length > 0) taken.push(await allocateAny(trx, allocator, network, port, stateful));
  return taken;
}
