import type { Trx } from '../db/database.ts';
import { addressBits, addressKey, type Cidr } from '../net/addresses.ts';
import { prefixOf } from '../net/prefix-sets.ts';

/**
 * The free prefixes of subnet pools, a buddy system: at any time, the fewest prefixes that together are what no subnet of the pool
 * has. An allocation reads one of them by its key and splits it; a release joins it with its free neighbours. Neither depends on the
 * number of subnets. The transaction must have locked the pool's row.
 */

/** A subnet pool. */
export interface PrefixPool {
  readonly id: string;
  readonly version: 4 | 6;
}

const row = ({ id, version }: PrefixPool, { first, prefixLength }: Pick<Cidr, 'first' | 'prefixLength'>) => ({
  subnetpool_id: id,
  first_key: addressKey(version, first),
  prefixlen: prefixLength,
});

/** Removes a free prefix; returns whether it was there. */
async function remove(trx: Trx, pool: PrefixPool, prefix: Pick<Cidr, 'first' | 'prefixLength'>): Promise<boolean> {
  const { subnetpool_id, first_key, prefixlen } = row(pool, prefix);
  const { numDeletedRows } = await trx
    .deleteFrom('subnetpoolfreeprefixes')
    .where('subnetpool_id', '=', subnetpool_id)
    .where('first_key', '=', first_key)
    .where('prefixlen', '=', prefixlen)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Takes a prefix out of the free one that contains it: what is left of it stays free. */
async function split(trx: Trx, pool: PrefixPool, block: Cidr, prefix: Cidr): Promise<void> {
  await remove(trx, pool, block);
  const rest: ReturnType<typeof row>[] = [];
  for (let length = block.prefixLength + 1; length <= prefix.prefixLength; length++) {
    const size = 1n << BigInt(addressBits(pool.version) - length);
    const half = prefixOf(pool.version, prefix.first, length);
    rest.push(row(pool, { first: half.first ^ size, prefixLength: length }));
  }
  if (rest.length > 0) await trx.insertInto('subnetpoolfreeprefixes').values(rest).execute();
}

const block = ({ version }: PrefixPool, found: { first_key: string; prefixlen: number }): Cidr =>
  prefixOf(version, BigInt(`0x${found.first_key}`), found.prefixlen);

/**
 * Allocates a prefix of a length: the first one in the smallest free prefix that is large enough, as Neutron does. Returns undefined
 * if there is none.
 */
export async function takePrefixOfLength(trx: Trx, pool: PrefixPool, prefixLength: number): Promise<Cidr | undefined> {
  const found = await trx
    .selectFrom('subnetpoolfreeprefixes')
    .select(['first_key', 'prefixlen'])
    .where('subnetpool_id', '=', pool.id)
    .where('prefixlen', '<=', prefixLength)
    .orderBy('prefixlen', 'desc')
    .orderBy('first_key')
    .limit(1)
    .executeTakeFirst();
  if (!found) return undefined;
  const free = block(pool, found);
  const prefix = prefixOf(pool.version, free.first, prefixLength);
  await split(trx, pool, free, prefix);
  return prefix;
}

/** Allocates a specific prefix; returns false if it is not free, or only partly. */
export async function takePrefix(trx: Trx, pool: PrefixPool, prefix: Cidr): Promise<boolean> {
  // Free prefixes do not overlap: the last one that starts before it is the only one that can contain it.
  const found = await trx
    .selectFrom('subnetpoolfreeprefixes')
    .select(['first_key', 'prefixlen'])
    .where('subnetpool_id', '=', pool.id)
    .where('first_key', '<=', addressKey(pool.version, prefix.first))
    .orderBy('first_key', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!found) return false;
  const free = block(pool, found);
  if (free.last < prefix.last || free.prefixLength > prefix.prefixLength) return false;
  await split(trx, pool, free, prefix);
  return true;
}

/** Makes a prefix free: of a subnet that is deleted, or that the pool gained. */
export async function releasePrefix(trx: Trx, pool: PrefixPool, prefix: Cidr): Promise<void> {
  let { first, prefixLength } = prefix;
  while (prefixLength > 0) {
    const size = 1n << BigInt(addressBits(pool.version) - prefixLength);
    if (!(await remove(trx, pool, { first: first ^ size, prefixLength }))) break;
    first &= ~size;
    prefixLength--;
  }
  await trx.insertInto('subnetpoolfreeprefixes').values(row(pool, { first, prefixLength })).execute();
}
