import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { releasePrefix, takePrefix, takePrefixOfLength } from '../../src/ipam/free-prefixes.ts';
import { addressKey, type Cidr, formatCidr, parseCidr } from '../../src/net/addresses.ts';
import { addressSet, difference, intersection, prefixesOf, prefixOf } from '../../src/net/prefix-sets.ts';
import { openWorld, type World } from '../plugin/subnets/world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** An operation on a pool of 10.0.0.0/24 and 10.0.2.0/25. */
const operation = fc.record({
  what: fc.constantFrom('any', 'any', 'specific', 'release'),
  length: fc.integer({ min: 25, max: 30 }),
  at: fc.integer({ min: 0, max: 1023 }),
});

test('allocations and releases in any order choose what Neutron chooses, and lose nothing', async () => {
  const prefixes = ['10.0.0.0/24', '10.0.2.0/25'];
  const space = addressSet(prefixes.flatMap((text) => parseCidr(text) ?? []));
  const { kysely } = world.core.db;
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
      const { id } = await world.pools.create({ name: 'p', prefixes });
      const pool = { id, version: 4 } as const;
      const taken: Cidr[] = [];
      const free = () => difference(space, addressSet(taken));
      for (const { what, length, at } of operations)
        await world.core.db.transaction(async (trx) => {
          if (what === 'any') {
            const [best] = prefixesOf(4, free())
              .filter(({ prefixLength }) => prefixLength <= length)
              .sort((a, b) => b.prefixLength - a.prefixLength);
            const wanted = best && prefixOf(4, best.first, length);
            const got = await takePrefixOfLength(trx, pool, length);
            expect(got && formatCidr(got)).toBe(wanted && formatCidr(wanted));
            if (got) taken.push(got);
          } else if (what === 'specific') {
            const wanted = prefixOf(4, BigInt(0x0a000000 + at), length);
            const isFree = difference([wanted], free()).length === 0;
            expect(await takePrefix(trx, pool, wanted)).toBe(isFree);
            if (isFree) taken.push(wanted);
          } else {
            const [gone] = taken.splice(at % Math.max(taken.length, 1), 1);
            if (gone) await releasePrefix(trx, pool, gone);
          }
        });
      const rows = await kysely
        .selectFrom('subnetpoolfreeprefixes')
        .select(['first_key', 'prefixlen'])
        .where('subnetpool_id', '=', id)
        .orderBy('first_key')
        .execute();
      const expected = prefixesOf(4, free());
      expect(rows).toEqual(
        expected.map(({ first, prefixLength }) => ({ first_key: addressKey(4, first), prefixlen: prefixLength })),
      );
      for (const [i, one] of taken.entries())
        for (const other of taken.slice(i + 1)) expect(intersection([one], [other])).toEqual([]);
    }),
    { numRuns: 30 },
  );
});
