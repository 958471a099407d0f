import { describe, expect, it } from 'vitest';
import { countTests } from './vitest-report.ts';

const report = (
  numbers: { passed?: number; failed?: number; pending?: number; todo?: number },
  testResults: readonly object[] = [],
) =>
  JSON.stringify({
    numPassedTests: numbers.passed ?? 0,
    numFailedTests: numbers.failed ?? 0,
    numPendingTests: numbers.pending ?? 0,
    numTodoTests: numbers.todo ?? 0,
    testResults,
  });

describe('countTests', () => {
  it('returns the numbers of the report', () => {
    expect(countTests(report({ passed: 5, failed: 2, pending: 3, todo: 1 }), 1)).toEqual({
      counts: { passed: 5, failed: 2, skipped: 4 },
      problems: [],
    });
  });

  it('counts a file that cannot be loaded as a failed test', () => {
    const broken = { name: '/x/a.test.ts', status: 'failed', message: 'no such module\nat ...', assertionResults: [] };
    const failing = { name: 'b', status: 'failed', message: '', assertionResults: [{ status: 'failed' }] };
    expect(countTests(report({ passed: 1, failed: 1 }, [broken, failing]), 1)).toEqual({
      counts: { passed: 1, failed: 2, skipped: 0 },
      problems: ['/x/a.test.ts: failed outside its tests: no such module'],
    });
  });

  it('fails a run without tests, even if some are skipped', () => {
    expect(countTests(report({ pending: 2 }), 0)).toEqual({
      counts: { passed: 0, failed: 1, skipped: 2 },
      problems: ['no test ran'],
    });
  });

  it('fails a run whose exit code is not explained by a failed test', () => {
    const { counts, problems } = countTests(report({ passed: 2 }), 1);
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 0 });
    expect(problems[0]).toContain('exit code 1 though no test failed');
  });

  it.each([undefined, '', '{"numPassedT'])('fails a run whose report is %j', (text) => {
    expect(countTests(text, 0)).toEqual({
      counts: { passed: 0, failed: 1, skipped: 0 },
      problems: ['Vitest ended without a report'],
    });
  });
});
