import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Caller } from '../../src/auth/contract.ts';
import type { Target } from '../../src/auth/language.ts';
import { RuleSet } from '../../src/auth/rule-set.ts';
import { ADMIN } from '../support/core.ts';

interface Recorded {
  readonly rules: Readonly<Record<string, string>>;
  readonly target: Target;
  readonly creds: {
    readonly roles: readonly string[];
    readonly project_id: string;
    readonly user_id: string;
    readonly domain_id: string;
    readonly is_admin: boolean;
  };
  readonly allowed: boolean;
}

/** Random rules, targets and credentials with what oslo.policy 4.0 (Debian's python3-oslo.policy) decides. */
const RECORDED = readFileSync(new URL('../fixtures/policy/oslo-policy.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded);

const callerOf = ({ roles, project_id, user_id, domain_id, is_admin }: Recorded['creds']): Caller => ({
  ...ADMIN,
  roles: roles.map((role) => role.toLowerCase()),
  projectId: project_id,
  userId: user_id,
  domainId: domain_id,
  isAdmin: is_admin,
});

test(`rules are decided as oslo.policy decides them, in ${RECORDED.length} random cases`, () => {
  const wrong = RECORDED.filter(({ rules, target, creds, allowed }) => {
    const set = new RuleSet(new Map(Object.entries(rules)));
    return set.get('it')?.check(callerOf(creds), target) !== allowed;
  });
  expect(wrong).toEqual([]);
  expect(RECORDED.some(({ allowed }) => allowed)).toBe(true);
});
