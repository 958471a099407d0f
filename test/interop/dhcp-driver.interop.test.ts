import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { compare } from '../agents/dhcp/drivers/dnsmasq/vector.ts';
import { anyCase } from './dhcp-driver/documents.ts';
import { type Oracle, startOracle } from './dhcp-driver/oracle.ts';
import { stockObstacle } from './stock-packages.ts';

const obstacle = stockObstacle();
/** Documents; NEUTRINO_FUZZ_RUNS: another number. */
const RUNS = Number(process.env.NEUTRINO_FUZZ_RUNS ?? 1_000);

let oracle: Oracle;
beforeAll(() => {
  if (obstacle === undefined) oracle = startOracle();
});
afterAll(() => oracle?.close());

test.skipIf(obstacle !== undefined)(
  `files and command line of any network are those of Neutron's own driver${obstacle ? `: ${obstacle}` : ''}`,
  async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async (one) => {
        compare({ ...one, expected: await oracle.ask(one) });
      }),
      { numRuns: RUNS },
    );
  },
);
