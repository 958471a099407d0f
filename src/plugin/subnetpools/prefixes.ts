import type { Trx } from '../../db/database.ts';
import { type PrefixPool, releasePrefix, takePrefix } from '../../ipam/free-prefixes.ts';
import { type Cidr, formatCidr, parseCidr } from '../../net/addresses.ts';
import { type AddressSet, addressSet, difference, intersection, prefixesOf } from '../../net/prefix-sets.ts';
import { invalidAttribute, neutronError } from '../../resources/errors.ts';
import { MAX_PREFIXES } from '../../resources/subnetpool-types.ts';

const illegal = (reason: string) => neutronError('IllegalSubnetPoolPrefixUpdate', { reason });

const parsed = (texts: readonly string[]): readonly Cidr[] => texts.flatMap((text) => parseCidr(text) ?? []);

/** Parses the prefixes of a request. Throws EmptySubnetPoolPrefixList and PrefixVersionMismatch. */
export function requestedPrefixes(texts: readonly string[]): { readonly version: 4 | 6; readonly set: AddressSet } {
  const prefixes = parsed(texts);
  const [first] = prefixes;
  if (!first) throw neutronError('EmptySubnetPoolPrefixList');
  if (prefixes.some(({ version }) => version !== first.version)) throw neutronError('PrefixVersionMismatch');
  return { version: first.version, set: addressSet(prefixes) };
}

/** Returns the addresses of a pool. */
export async function storedPrefixes(trx: Trx, poolId: string): Promise<AddressSet> {
  const rows = await trx.selectFrom('subnetpoolprefixes').select('cidr').where('subnetpool_id', '=', poolId).execute();
  return addressSet(parsed(rows.map(({ cidr }) => cidr)));
}

/** Returns the prefixes of a set as documents show them. */
export const shownPrefixes = (version: 4 | 6, set: AddressSet): readonly string[] =>
  prefixesOf(version, set).map(formatCidr);

/** Replaces the stored prefixes of a pool. */
async function store(trx: Trx, pool: PrefixPool, set: AddressSet): Promise<void> {
  const cidrs = shownPrefixes(pool.version, set);
  if (cidrs.length > MAX_PREFIXES)
    throw invalidAttribute('prefixes', `${cidrs.length} items exceed the limit of ${MAX_PREFIXES}`);
  await trx.deleteFrom('subnetpoolprefixes').where('subnetpool_id', '=', pool.id).execute();
  if (cidrs.length > 0)
    await trx
      .insertInto('subnetpoolprefixes')
      .values(cidrs.map((cidr) => ({ subnetpool_id: pool.id, cidr })))
      .execute();
}

/** Sets the prefixes of a pool, which must contain those that it has. Throws IllegalSubnetPoolPrefixUpdate. */
export async function growPrefixes(trx: Trx, pool: PrefixPool, wanted: AddressSet): Promise<void> {
  const before = await storedPrefixes(trx, pool.id);
  if (difference(before, wanted).length > 0)
    throw illegal('the new prefixes must contain all present ones; remove_prefixes removes some');
  const gained = difference(wanted, before);
  if (gained.length === 0) return;
  await store(trx, pool, wanted);
  for (const prefix of prefixesOf(pool.version, gained)) await releasePrefix(trx, pool, prefix);
}

/**
 * Removes prefixes from a pool; those that it does not have are ignored. Returns what remains, or undefined if nothing changes.
 * Throws IllegalSubnetPoolPrefixUpdate if a subnet has been allocated from one of them.
 */
export async function shrinkPrefixes(
  trx: Trx,
  pool: PrefixPool,
  unwanted: readonly string[],
): Promise<AddressSet | undefined> {
  const { version } = pool;
  const before = await storedPrefixes(trx, pool.id);
  const lost = intersection(before, addressSet(parsed(unwanted).filter((prefix) => prefix.version === version)));
  if (lost.length === 0) return undefined;
  for (const prefix of prefixesOf(version, lost))
    if (!(await takePrefix(trx, pool, prefix))) throw illegal('subnets use some of the prefixes to remove');
  const remaining = difference(before, lost);
  await store(trx, pool, remaining);
  return remaining;
}
