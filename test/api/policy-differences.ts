import { readFileSync } from 'node:fs';
import { MATRIX } from './policy-matrix.ts';

/** Answers that rightly differ from the recorded ones. */
interface PolicyDifference {
  readonly cases: readonly string[];
  readonly callers: readonly string[];
  readonly what: string;
  readonly why: string;
}

const POLICY_DIFFERENCES = JSON.parse(
  readFileSync(new URL('../fixtures/policy/differences.json', import.meta.url), 'utf8'),
) as readonly PolicyDifference[];

/** Returns `case caller` of each answer that is listed as different. */
export const listedDifferences = (): readonly string[] =>
  POLICY_DIFFERENCES.flatMap(({ cases, callers }) =>
    cases.flatMap((one) => callers.map((caller) => `${one} ${caller}`)),
  );

/** Returns the section about the policy of docs/conformance.md. */
export function policySection(): readonly string[] {
  const requests = [...MATRIX.values()].reduce((sum, callers) => sum + Object.keys(callers).length, 0);
  const different = listedDifferences().length;
  return [
    '## Policy',
    '',
    `Nine callers (administrator, members of two projects, a reader, a role that no policy names, services, no token, a wrong token) send`,
    `${MATRIX.size} requests each, of which stock Neutron 21.0.0 with Keystone and \`enforce_new_defaults = false\` has answered`,
    `${requests} other than by a failure of its own. Neutrino answers ${requests - different} of them (${((100 * (requests - different)) / requests).toFixed(1)} %) with the same status, error`,
    'type, visible attributes and visible rows; `test/api/policy-matrix.system.test.ts` compares all, and fails if an answer that is not',
    'listed here differs, or a listed one no longer does. Decisions on 400 random rules equal those of oslo.policy.',
    '',
    '| cases | callers | difference | reason |',
    '|---|---|---|---|',
    ...POLICY_DIFFERENCES.map(
      ({ cases, callers, what, why }) =>
        `| ${cases.map((one) => `\`${one}\``).join(', ')} | ${callers.join(', ')} | ${what} | ${why} |`,
    ),
    '',
  ];
}
