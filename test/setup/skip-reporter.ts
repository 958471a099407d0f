import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Prints the skipped tests with the reason: the note of `skip()`, or part of the name of the skipped suite. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const line = `${module.project.name}: ${whatAndWhy(test)}`;
        counts.set(line, (counts.get(line) ?? 0) + 1);
      }
    }
    for (const [line, count] of counts) console.log(`skipped ${count === 1 ? '' : `${count} tests of `}${line}`);
  }
}

function whatAndWhy(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  if (note) return `${test.fullName}: ${note}`;
  let skipped: TestCase | ReturnType<typeof parentSuite> = test;
  for (let at = parentSuite(test); at; at = at.parent.type === 'suite' ? at.parent : undefined) {
    if (at.options.mode === 'skip') skipped = at;
  }
  return skipped?.fullName ?? test.fullName;
}

const parentSuite = (test: TestCase) => (test.parent.type === 'suite' ? test.parent : undefined);
