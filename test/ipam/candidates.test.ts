import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressAt, gaps, poolSize, randomBelow } from '../../src/ipam/candidates.ts';
import { randomMac } from '../../src/net/mac.ts';

describe('pool arithmetic', () => {
  const pools = fc
    .array(fc.tuple(fc.bigInt(0n, 1000n), fc.bigInt(0n, 50n)), { minLength: 1, maxLength: 5 })
    .map((parts) => {
      let next = 0n;
      return parts.map(([skip, size]) => {
        const first = next + skip;
        next = first + size + 1n;
        return { first, last: first + size };
      });
    });

  test('every position is an address of a pool, and no two positions are the same address', () => {
    fc.assert(
      fc.property(pools, (ranges) => {
        const size = Number(poolSize(ranges));
        const all = Array.from({ length: size }, (_, i) => addressAt(ranges, BigInt(i)));
        expect(new Set(all).size).toBe(size);
        for (const a of all) expect(ranges.some((r) => a >= r.first && a <= r.last)).toBe(true);
      }),
    );
  });

  test('gaps are exactly the free addresses, up to the requested number', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 100n),
        fc.bigInt(0n, 100n),
        fc.uniqueArray(fc.bigInt(0n, 200n)),
        fc.integer({ min: 1, max: 300 }),
        (from, length, used, most) => {
          const known = from + length;
          const taken = used.filter((u) => u >= from && u <= known).sort((a, b) => (a < b ? -1 : 1));
          const expected: bigint[] = [];
          for (let a = from; a <= known; a++) if (!taken.includes(a)) expected.push(a);
          expect(gaps(from, known, taken, most)).toEqual(expected.slice(0, most));
        },
      ),
    );
  });

  test('random numbers are below their bound, even beyond 64 bits', () => {
    fc.assert(fc.property(fc.bigInt(1n, 2n ** 128n), (below) => randomBelow(below) < below));
  });

  test('a MAC keeps three bytes of base_mac, or four if the fourth is not 00', () => {
    expect(randomMac('FA:16:3e:00:00:00')).toMatch(/^fa:16:3e(:[0-9a-f]{2}){3}$/);
    expect(randomMac('fa:16:3e:4f:00:00')).toMatch(/^fa:16:3e:4f(:[0-9a-f]{2}){2}$/);
  });
});
