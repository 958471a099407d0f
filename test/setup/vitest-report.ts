/** The counts of a test run. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The parts of the report of Vitest's JSON reporter (Jest's format) that are read. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Counts the tests of a Vitest run, and reports other problems: files that cannot be loaded (each counts as a failed test), no
 * tests, an exit code that is not explained by a failed test (an unhandled error). `report`: the JSON reporter's text, undefined if
 * there is none.
 */
export function countTests(
  report: string | undefined,
  exitCode: number,
): { readonly counts: Counts; readonly problems: readonly string[] } {
  const parsed = parse(report);
  if (!parsed) return { counts: { passed: 0, failed: 1, skipped: 0 }, problems: ['Vitest ended without a report'] };
  const unloaded = parsed.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  );
  const problems = unloaded.map(({ name, message }) => `${name}: failed outside its tests: ${message.split('\n')[0]}`);
  const ran = parsed.numPassedTests + parsed.numFailedTests;
  if (ran === 0 && unloaded.length === 0) problems.push('no test ran');
  else if (exitCode !== 0 && parsed.numFailedTests === 0 && unloaded.length === 0) {
    problems.push(
      `Vitest ended with exit code ${exitCode} though no test failed: an error outside the tests, see above`,
    );
  }
  return {
    counts: {
      passed: parsed.numPassedTests,
      failed: parsed.numFailedTests + problems.length,
      skipped: parsed.numPendingTests + parsed.numTodoTests,
    },
    problems,
  };
}

function parse(report: string | undefined): VitestReport | undefined {
  try {
    return report === undefined ? undefined : (JSON.parse(report) as VitestReport);
  } catch {
    return undefined;
  }
}
