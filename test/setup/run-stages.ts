/**
 * What `npm test` runs in the project's folder, its working folder: type check, lint, import rules, unused code (knip), Vitest.
 * Arguments go to Vitest (`npm test -- test/config`). Ends with `N passed, N failed, N skipped`: a stage counts as one test.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importViolations } from './import-rules.ts';
import { type Counts, countTests } from './vitest-report.ts';

/**
 * The projects of vitest.config.ts that make the whole run; those with stock Neutron run only by name: `npm test --
 * test/interop`.
 */
const PROJECTS = ['unit', 'system', 'mariadb'];
const INTEROP = 'interop';
/** The time limit of a run in CI is 90 minutes. */
const MAX_MS = 80 * 60_000;

interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a program of the project's packages; `show` prints its output instead of collecting it. */
function runTool(name: string, args: readonly string[], show: boolean): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(join('node_modules', '.bin', name), args, {
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    const stop = () => child.kill('SIGTERM');
    process.once('SIGTERM', stop);
    const timer = setTimeout(() => {
      console.log(`${name} did not end within ${MAX_MS / 60_000} minutes`);
      child.kill('SIGKILL');
    }, MAX_MS);
    const end = (exitCode: number, more = '') => {
      clearTimeout(timer);
      process.off('SIGTERM', stop);
      resolve({ exitCode, output: output + more });
    };
    child.on('error', (error) => end(1, `${name} cannot be started: ${error.message}`));
    child.on('close', (code) => end(code ?? 1));
  });
}

/** Runs a stage that passes or fails as a whole; prints its output if it fails. */
async function stage(name: string, work: () => Promise<Ended>): Promise<Counts> {
  const begin = performance.now();
  const { exitCode, output } = await work();
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  if (exitCode !== 0) console.log(output.trimEnd());
  console.log(`${name}: ${exitCode === 0 ? 'passed' : 'FAILED'} (${seconds} s)`);
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

async function checkImports(): Promise<Ended> {
  const violations = importViolations('.');
  return { exitCode: violations.length === 0 ? 0 : 1, output: violations.join('\n') };
}

async function runTests(args: readonly string[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-test-'));
  const file = join(folder, 'report.json');
  const interop = args.some((arg) => arg.includes('test/interop'));
  const projects = args.some((arg) => arg.startsWith('--project')) ? [] : interop ? [...PROJECTS, INTEROP] : PROJECTS;
  try {
    const { exitCode, output } = await runTool(
      'vitest',
      [
        'run',
        '--reporter=default',
        '--reporter=./test/setup/skip-reporter.ts',
        '--reporter=json',
        `--outputFile.json=${file}`,
        ...projects.map((project) => `--project=${project}`),
        ...args,
      ],
      true,
    );
    if (output) console.log(output);
    const { counts, problems } = countTests(readIfThere(file), exitCode);
    for (const problem of problems) console.log(`FAILED: ${problem}`);
    return counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const results = [
  await stage('type check', () => runTool('tsc', ['--noEmit'], false)),
  await stage('lint', () => runTool('biome', ['check'], false)),
  await stage('import rules', checkImports),
  await stage('unused code', () => runTool('knip', ['--no-progress'], false)),
  await runTests(process.argv.slice(2)),
];
const sum = (pick: (counts: Counts) => number) => results.reduce((total, counts) => total + pick(counts), 0);
const failed = sum((counts) => counts.failed);
process.exitCode = failed === 0 ? 0 : 1;
console.log(`\n${sum((counts) => counts.passed)} passed, ${failed} failed, ${sum((counts) => counts.skipped)} skipped`);
