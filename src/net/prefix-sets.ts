import { addressBits, type Cidr } from './addresses.ts';

/** Sets of addresses: sorted ranges that neither overlap nor touch, so that equal sets have equal ranges. Costs are linear. */

/** Addresses from the first to the last, both included. */
interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

export type AddressSet = readonly AddressRange[];

/** Returns the prefix of a length that contains an address. */
export function prefixOf(version: 4 | 6, address: bigint, prefixLength: number): Cidr {
  const host = (1n << BigInt(addressBits(version) - prefixLength)) - 1n;
  const first = address & ~host;
  return { version, first, last: first | host, prefixLength, hostBits: first !== address };
}

/** Returns the addresses of all the prefixes, which may overlap. */
export function addressSet(prefixes: readonly Pick<Cidr, 'first' | 'last'>[]): AddressSet {
  const sorted = [...prefixes].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: { first: bigint; last: bigint }[] = [];
  for (const { first, last } of sorted) {
    const previous = merged.at(-1);
    if (!previous || first > previous.last + 1n) merged.push({ first, last });
    else if (last > previous.last) previous.last = last;
  }
  return merged;
}

/** Returns the addresses that are in both sets. */
export function intersection(a: AddressSet, b: AddressSet): AddressSet {
  const common: AddressRange[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [x, y] = [a[i], b[j]];
    if (!x || !y) break;
    let { first, last } = x;
    if (y.first > first) first = y.first;
    if (y.last < last) last = y.last;
    if (first <= last) common.push({ first, last });
    if (x.last < y.last) i++;
    else j++;
  }
  return common;
}

/** Returns the addresses of `a` that are not in `b`. */
export function difference(a: AddressSet, b: AddressSet): AddressSet {
  const left: AddressRange[] = [];
  let j = 0;
  for (const { first, last } of a) {
    let from = first;
    for (; j < b.length; j++) {
      const taken = b[j];
      if (!taken || taken.first > last) break;
      if (taken.first > from) left.push({ first: from, last: taken.first - 1n });
      if (taken.last >= from) from = taken.last + 1n;
      // A range that reaches further concerns the next one of `a` too.
      if (taken.last > last) break;
    }
    if (from <= last) left.push({ first: from, last });
  }
  return left;
}

/** Returns the fewest prefixes that together are the set, in order. */
export function prefixesOf(version: 4 | 6, set: AddressSet): readonly Cidr[] {
  const bits = addressBits(version);
  const prefixes: Cidr[] = [];
  for (const { first, last } of set)
    for (let at = first; at <= last; ) {
      let host = 0;
      // Twice the size while the prefix starts at a multiple of it and ends within the range.
      while (host < bits && (at & (1n << BigInt(host))) === 0n && at + (2n << BigInt(host)) - 1n <= last) host++;
      const prefix = prefixOf(version, at, bits - host);
      prefixes.push(prefix);
      at = prefix.last + 1n;
    }
  return prefixes;
}
