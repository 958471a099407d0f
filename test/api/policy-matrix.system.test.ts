import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PolicyServer, startPolicyServer, TOKENS } from '../support/policy-server.ts';
import { listedDifferences } from './policy-differences.ts';
import { comparePolicy, type Mismatch } from './policy-matrix.ts';

let server: PolicyServer;
let mismatches: readonly Mismatch[];
beforeAll(async () => {
  server = await startPolicyServer();
  mismatches = await comparePolicy(server.url, TOKENS);
});
afterAll(() => server?.close());

const key = ({ case: name, caller }: Mismatch): string => `${name} ${caller}`;

describe("the policy of stock Neutron's server", () => {
  test('is what each caller meets here, but for what rightly differs', () => {
    const listed = new Set(listedDifferences());
    expect(mismatches.filter((one) => !listed.has(key(one)))).toEqual([]);
  });

  test('differs where it is said to differ', () => {
    const seen = new Set(mismatches.map(key));
    expect(listedDifferences().filter((one) => !seen.has(one))).toEqual([]);
  });
});
