import { randomBytes } from 'node:crypto';

/** An allocation pool as numbers, both ends included. */
export interface PoolRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Returns the total number of addresses in the pools. */
export const poolSize = (pools: readonly PoolRange[]): bigint =>
  pools.reduce((sum, p) => sum + (p.last - p.first + 1n), 0n);

/** Returns a uniformly distributed integer in [0, below). `random` returns numbers in [0, 1), used for small bounds. */
export function randomBelow(below: bigint, random: () => number = Math.random): bigint {
  if (below <= 0x1_0000_0000n) return BigInt(Math.floor(random() * Number(below)));
  // 64 bits more than needed make the bias of the remainder negligible.
  const bytes = Math.ceil(below.toString(16).length / 2) + 8;
  return BigInt(`0x${randomBytes(bytes).toString('hex')}`) % below;
}

/** Returns the address at a position counted across all pools. */
export function addressAt(pools: readonly PoolRange[], position: bigint): bigint {
  let at = position;
  for (const pool of pools) {
    const size = pool.last - pool.first + 1n;
    if (at < size) return pool.first + at;
    at -= size;
  }
  throw new RangeError(`position ${position} lies behind the pools`);
}

/**
 * Returns at most `most` free addresses of one pool between `from` and the pool's end, given the allocated ones (ascending,
 * complete up to `known`). Addresses beyond `known` are never returned.
 */
export function gaps(from: bigint, known: bigint, taken: readonly bigint[], most: number): readonly bigint[] {
  const free: bigint[] = [];
  let next = from;
  for (const used of taken) {
    while (next < used && free.length < most) free.push(next++);
    if (free.length >= most) return free;
    next = used + 1n;
  }
  while (next <= known && free.length < most) free.push(next++);
  return free;
}
