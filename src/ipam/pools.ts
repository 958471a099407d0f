import { type Cidr, cidrContains, formatCidr, formatIp, type Ip, parseIp } from '../net/addresses.ts';
import { neutronError } from '../resources/errors.ts';
import type { PoolRange } from './candidates.ts';

/** A pool as requests and answers have it. */
export interface PoolText {
  readonly start: string;
  readonly end: string;
}

const bits = (cidr: Cidr): number => (cidr.version === 4 ? 32 : 128);

/** Addresses of a subnet that hosts can have: all but the network's own and, in IPv4, the broadcast address. */
export function hostRange(cidr: Cidr): PoolRange {
  // Of one or two addresses none is left over for network and broadcast (RFC 3021).
  const spare = bits(cidr) - cidr.prefixLength;
  if (spare === 0 || (spare === 1 && cidr.version === 4)) return { first: cidr.first, last: cidr.last };
  return { first: cidr.first + 1n, last: cidr.version === 4 ? cidr.last - 1n : cidr.last };
}

/**
 * The gateway of a subnet that names none: IPv4's first host, IPv6's first address (the subnet-router anycast address of
 * RFC 4291, 2.6.1). Undefined where there is no such address.
 */
export function defaultGateway(cidr: Cidr): Ip | undefined {
  if (cidr.version === 6) return { version: 6, value: cidr.first };
  const value = cidr.first + 1n;
  return value >> 32n === 0n ? { version: 4, value } : undefined;
}

/** Whether a gateway inside an IPv4 subnet is its network or broadcast address. One outside of it cannot be judged. */
export function isNoHost(cidr: Cidr, gateway: Ip): boolean {
  if (cidr.version === 6 || !cidrContains(cidr, gateway) || cidr.prefixLength > 30) return false;
  return gateway.value === cidr.first || gateway.value === cidr.last;
}

/** The pools of a subnet that names none: all hosts but the gateway. */
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

const shownRange = (cidr: Cidr, pool: PoolRange): string =>
  `${formatIp(cidr.version, pool.first)}-${formatIp(cidr.version, pool.last)}`;

function parsePool(cidr: Cidr, pool: PoolText): PoolRange {
  const start = parseIp(pool.start);
  const end = parseIp(pool.end);
  if (!start || !end || start.version !== cidr.version || end.version !== cidr.version || start.value > end.value)
    throw neutronError('InvalidAllocationPool', { pool: `${pool.start}-${pool.end}` });
  return { first: start.value, last: end.value };
}

/**
 * The pools that a request names, in its order. Throws InvalidAllocationPool (upside down, or of the other IP version),
 * OutOfBoundsAllocationPool and OverlappingAllocationPools.
 */
export function checkedPools(cidr: Cidr, wanted: readonly PoolText[]): readonly PoolRange[] {
  const hosts = hostRange(cidr);
  const pools = wanted.map((pool) => parsePool(cidr, pool));
  for (const pool of pools)
    if (pool.first < hosts.first || pool.last > hosts.last)
      throw neutronError('OutOfBoundsAllocationPool', { pool: shownRange(cidr, pool), cidr: formatCidr(cidr) });
  const ascending = [...pools].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  for (const [i, pool] of ascending.entries()) {
    const next = ascending[i + 1];
    if (next && next.first <= pool.last) {
      const pair = `${shownRange(cidr, pool)} ${shownRange(cidr, next)}`;
      throw neutronError('OverlappingAllocationPools', { pools: pair, cidr: formatCidr(cidr) });
    }
  }
  return pools;
}

/** Throws GatewayConflictWithAllocationPools when the gateway lies in one of the pools. */
export function requireGatewayOutside(cidr: Cidr, gateway: Ip | undefined, pools: readonly PoolRange[]): void {
  if (!gateway || gateway.version !== cidr.version) return;
  const pool = pools.find((p) => gateway.value >= p.first && gateway.value <= p.last);
  if (!pool) return;
  const ip = formatIp(gateway.version, gateway.value);
  throw neutronError('GatewayConflictWithAllocationPools', { ip, pool: shownRange(cidr, pool) });
}
