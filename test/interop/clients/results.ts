import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/** What one test of a client ended with. */
export interface Result {
  readonly test: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped, or what it printed when it failed. */
  readonly why?: string;
}

/** A test that does not pass, with the reason. */
interface Expected {
  /** Its name; `*` at the end: all whose name begins with it. */
  readonly test: string;
  readonly why: string;
}

/** The recorded results of a client: `test/fixtures/clients/<name>.json`, from which docs/conformance.md is made. */
export interface Recorded {
  /** Programs and versions. */
  readonly client: string;
  /** What runs. */
  readonly tests: string;
  readonly passed: number;
  readonly failing: readonly Expected[];
  readonly skipped: readonly { readonly why: string; readonly count: number }[];
}

export const CLIENT_RECORDS = ['tempest', 'openstack', 'openstacksdk', 'neutronclient', 'gophercloud'] as const;
export type ClientRecord = (typeof CLIENT_RECORDS)[number];

const fileOf = (name: ClientRecord) => new URL(`../../fixtures/clients/${name}.json`, import.meta.url);

export const recorded = (name: ClientRecord): Recorded => JSON.parse(readFileSync(fileOf(name), 'utf8')) as Recorded;

const matches = ({ test: pattern }: Expected, test: string): boolean =>
  pattern.endsWith('*') ? test.startsWith(pattern.slice(0, -1)) : test === pattern;

/**
 * Fails if a test fails that is not listed, if a listed one does not fail, or if fewer pass than recorded. With UPDATE_DOCS=1 the
 * numbers of the record are written anew; reasons for failures are written by hand.
 */
export function compareResults(name: ClientRecord, results: readonly Result[]): void {
  const record = recorded(name);
  const of = (outcome: Result['outcome']) => results.filter((result) => result.outcome === outcome);
  const failed = of('failed');
  const counts = new Map<string, number>();
  for (const { why = '' } of of('skipped')) counts.set(why, (counts.get(why) ?? 0) + 1);
  const skipped = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([why, count]) => ({ why, count }));
  if (process.env.UPDATE_DOCS === '1')
    writeFileSync(fileOf(name), `${JSON.stringify({ ...record, passed: of('passed').length, skipped }, null, 1)}\n`);
  const unexpected = failed.filter(({ test }) => !record.failing.some((listed) => matches(listed, test)));
  expect(unexpected, 'tests that fail and are not listed').toEqual([]);
  const obsolete = record.failing.filter((listed) => !failed.some(({ test }) => matches(listed, test)));
  expect(obsolete, 'listed tests that do not fail').toEqual([]);
  expect(skipped.map(({ why }) => why)).toEqual(recorded(name).skipped.map(({ why }) => why));
  expect(of('passed').length).toBeGreaterThanOrEqual(recorded(name).passed);
}
