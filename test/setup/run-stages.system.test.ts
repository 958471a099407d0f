import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/linux/run.ts';

const RUN_STAGES = join(import.meta.dirname, 'run-stages.ts');

/** A Vitest that writes a report of two passed tests and one skipped, and prints its arguments. */
const VITEST = `
for word; do case $word in --outputFile.json=*) file=\${word#*=} ;; esac; done
echo "vitest $*"
echo '{"numPassedTests":2,"numFailedTests":0,"numPendingTests":1,"numTodoTests":0,"testResults":[]}' >"$file"`;

let project: string;
const tool = (name: string, script: string) => {
  const path = join(project, 'node_modules/.bin', name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
};
const stages = async (...words: string[]) => {
  const command = ['sh', '-c', 'cd "$0" && exec "$@"', project, process.execPath, RUN_STAGES, ...words] as const;
  const { stdout, exitCode } = await run([...command], { okCodes: [0, 1] });
  return { exitCode, stdout, lastLine: stdout.split('\n').at(-2) };
};

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'neutrino-stages-'));
  mkdirSync(join(project, 'node_modules/.bin'), { recursive: true });
  mkdirSync(join(project, 'src/db'), { recursive: true });
  writeFileSync(join(project, 'src/db/a.ts'), "import './b.ts';");
  tool('tsc', 'echo type noise');
  tool('biome', 'echo lint noise');
  tool('knip', 'echo unused noise');
  tool('vitest', VITEST);
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

describe('npm test', () => {
  it('counts each stage as a test and ends with the totals', async () => {
    const { exitCode, stdout, lastLine } = await stages();
    expect(exitCode).toBe(0);
    expect(lastLine).toBe('6 passed, 0 failed, 1 skipped');
    expect(stdout).toMatch(
      /^type check: passed .*\nlint: passed .*\nimport rules: passed .*\nunused code: passed .*\nvitest run /,
    );
    expect(stdout).not.toContain('noise');
  });

  it('prints the output of a failing stage, still runs the others, and fails', async () => {
    tool('tsc', 'echo "a.ts(1,1): error TS1"; exit 2');
    writeFileSync(join(project, 'src/db/a.ts'), "import '../api/app.ts';");
    tool('knip', 'echo "Unused exports (1)"; exit 1');
    const { exitCode, stdout, lastLine } = await stages();
    expect(exitCode).toBe(1);
    expect(stdout).toContain('a.ts(1,1): error TS1\ntype check: FAILED');
    expect(stdout).toContain('db must not import api');
    expect(stdout).toContain('Unused exports (1)\nunused code: FAILED');
    expect(lastLine).toBe('3 passed, 3 failed, 1 skipped');
  });

  it('fails if a tool is missing or Vitest writes no report', async () => {
    rmSync(join(project, 'node_modules/.bin/biome'));
    tool('vitest', 'exit 0');
    const { exitCode, stdout, lastLine } = await stages();
    expect(exitCode).toBe(1);
    expect(stdout).toContain('biome cannot be started');
    expect(lastLine).toBe('3 passed, 2 failed, 0 skipped');
  });

  it('passes its arguments to Vitest and runs unit, system and MariaDB tests by default', async () => {
    const whole = '--project=unit --project=system --project=mariadb';
    expect((await stages('test/config', '-t', 'x')).stdout).toMatch(
      new RegExp(`^vitest run .* ${whole} test/config -t x$`, 'm'),
    );
    expect((await stages('test/interop')).stdout).toContain(`${whole} --project=interop test/interop`);
    expect((await stages('--project=unit')).stdout).not.toContain('--project=system');
  });
});
