import { type Cidr, cidrContains, formatCidr, formatIp, type Ip, parseIp } from '../net/addresses.ts';
import { neutronError } from '../resources/errors.ts';
import type { PoolRange } from './candidates.ts';

/** A pool, as in requests and responses. */
export interface PoolText {
  readonly start: string;
  readonly end: string;
}

const bits = (cidr: Cidr): number => (cidr.version === 4 ? 32 : 128);

/** Returns the range of host addresses of a subnet: all except the network address and, for IPv4, the broadcast address. */
export function hostRange(cidr: Cidr): PoolRange {
  // A prefix of one or two addresses has no network or broadcast address (RFC 3021).
  const spare = bits(cidr) - cidr.prefixLength;
  if (spare === 0 || (spare === 1 && cidr.version === 4)) return { first: cidr.first, last: cidr.last };
  return { first: cidr.first + 1n, last: cidr.version === 4 ? cidr.last - 1n : cidr.last };
}

/**
 * Returns the default gateway address of a subnet: the first host for IPv4, the first address for IPv6 (the subnet-router anycast
 * address, RFC 4291, 2.6.1). Returns undefined if there is no such address.
 */
export function defaultGateway(cidr: Cidr): Ip | undefined {
  if (cidr.version === 6) return { version: 6, value: cidr.first };
  const value = cidr.first + 1n;
  return value >> 32n === 0n ? { version: 4, value } : undefined;
}

/** Returns whether a gateway is the network or broadcast address of its IPv4 subnet; false for gateways outside the subnet. */
export function isNoHost(cidr: Cidr, gateway: Ip): boolean {
  if (cidr.version === 6 || !cidrContains(cidr, gateway) || cidr.prefixLength > 30) return false;
  return gateway.value === cidr.first || gateway.value === cidr.last;
}

/** Returns the default pools of a subnet: all host addresses except the gateway. */
export function defaultPools(cidr: Cidr, gateway: Ip | undefined): readonly PoolRange[] {
  const { first, last } = hostRange(cidr);
  if (cidr.first === cidr.last || !gateway || gateway.version !== cidr.version) return [{ first, last }];
  const { value } = gateway;
  if (value < first || value > last) return [{ first, last }];
  return [
    { first, last: value - 1n },
    { first: value + 1n, last },
  ].filter((pool) => pool.first <= pool.last);
}

const formatRange = (cidr: Cidr, pool: PoolRange): string =>
  `${formatIp(cidr.version, pool.first)}-${formatIp(cidr.version, pool.last)}`;

function parsePool(cidr: Cidr, pool: PoolText): PoolRange {
  const start = parseIp(pool.start);
  const end = parseIp(pool.end);
  if (!start || !end || start.version !== cidr.version || end.version !== cidr.version || start.value > end.value)
    throw neutronError('InvalidAllocationPool', { pool: `${pool.start}-${pool.end}` });
  return { first: start.value, last: end.value };
}

/**
 * Parses the pools in a request, in order. Throws InvalidAllocationPool (end before start, or of the other IP version),
 * OutOfBoundsAllocationPool and OverlappingAllocationPools.
 */
export function checkedPools(cidr: Cidr, wanted: readonly PoolText[]): readonly PoolRange[] {
  const hosts = hostRange(cidr);
  const pools = wanted.map((pool) => parsePool(cidr, pool));
  for (const pool of pools)
    if (pool.first < hosts.first || pool.last > hosts.last)
      throw neutronError('OutOfBoundsAllocationPool', { pool: formatRange(cidr, pool), cidr: formatCidr(cidr) });
  const ascending = [...pools].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  for (const [i, pool] of ascending.entries()) {
    const next = ascending[i + 1];
    if (next && next.first <= pool.last) {
      const pair = `${formatRange(cidr, pool)} ${formatRange(cidr, next)}`;
      throw neutronError('OverlappingAllocationPools', { pools: pair, cidr: formatCidr(cidr) });
    }
  }
  return pools;
}

/** Throws GatewayConflictWithAllocationPools if the gateway is in one of the pools. */
export function requireGatewayOutside(cidr: Cidr, gateway: Ip | undefined, pools: readonly PoolRange[]): void {
  if (!gateway || gateway.version !== cidr.version) return;
  const pool = pools.find((p) => gateway.value >= p.first && gateway.value <= p.last);
  if (!pool) return;
  const ip = formatIp(gateway.version, gateway.value);
  throw neutronError('GatewayConflictWithAllocationPools', { ip, pool: formatRange(cidr, pool) });
}
