import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCidr, parseCidr } from '../../src/net/addresses.ts';
import {
  type AddressSet,
  addressSet,
  difference,
  intersection,
  prefixesOf,
  prefixOf,
} from '../../src/net/prefix-sets.ts';

/** Prefixes within 10.0.0.0/24, so that brute force can count their addresses. */
const prefix = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
  .map(([host, length]) => prefixOf(4, BigInt(0x0a000000 + host), length));
const prefixes = fc.array(prefix, { maxLength: 12 });

const members = (set: AddressSet): ReadonlySet<bigint> => {
  const all = new Set<bigint>();
  for (const { first, last } of set) for (let at = first; at <= last; at++) all.add(at);
  return all;
};

describe('sets of addresses', () => {
  test('contain what their prefixes contain, whatever the order and the overlaps', () => {
    fc.assert(
      fc.property(prefixes, (some) => {
        const all = new Set(some.flatMap((one) => [...members([one])]));
        expect(members(addressSet(some))).toEqual(new Set([...all].sort((a, b) => (a < b ? -1 : 1))));
      }),
    );
  });

  test('intersect and differ as sets do', () => {
    fc.assert(
      fc.property(prefixes, prefixes, (some, others) => {
        const [a, b] = [addressSet(some), addressSet(others)];
        expect(members(intersection(a, b))).toEqual(members(a).intersection(members(b)));
        expect(members(difference(a, b))).toEqual(members(a).difference(members(b)));
      }),
    );
  });

  test('consist of the fewest prefixes: no two of them make a larger one', () => {
    fc.assert(
      fc.property(prefixes, (some) => {
        const set = addressSet(some);
        const fewest = prefixesOf(4, set);
        expect(addressSet(fewest)).toEqual(set);
        const known = new Set(fewest.map(formatCidr));
        for (const { first, prefixLength } of fewest)
          expect(known.has(formatCidr(prefixOf(4, first ^ (1n << BigInt(32 - prefixLength)), prefixLength)))).toBe(
            false,
          );
      }),
    );
  });

  test.each([
    [
      ['10.201.0.0/24', '10.201.1.0/24', '10.203.0.0/16'],
      ['10.201.0.0/23', '10.203.0.0/16'],
    ],
    [['0.0.0.0/1', '128.0.0.0/1'], ['0.0.0.0/0']],
    [['::/0', 'fd00::/8'], ['::/0']],
    [['fd00:0:0:1::/64', 'fd00::/64', 'fd00::/80'], ['fd00::/63']],
  ])('%j is %j', (given, merged) => {
    const parsed = given.flatMap((text) => parseCidr(text) ?? []);
    expect(prefixesOf(parsed[0]?.version ?? 4, addressSet(parsed)).map(formatCidr)).toEqual(merged);
  });
});
