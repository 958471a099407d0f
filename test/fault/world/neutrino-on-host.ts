import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../../src/lab/wait.ts';
import type { HostProcess, TestHost } from '../../interop/hosts/test-host.ts';
import { ask } from '../load/ask.ts';

const CLOCK = join(import.meta.dirname, 'jumping-clock.ts');
const MAIN = join(import.meta.dirname, '../../../src/cli/main.ts');
const START_MS = 60_000;
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** A command of `bin/neutrino` on a test host, to be started and killed at will. */
export interface NeutrinoOnHost {
  start(): Promise<void>;
  /** kill -9; nothing when it does not run. */
  kill(): Promise<void>;
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<void>;
  /** Has its clock jump an hour ahead, or back. */
  jumpClock(): Promise<void>;
  /** Resolves when it has ended by itself, to its exit code or signal. */
  ended(timeoutMs: number): Promise<string>;
  /** All it has logged. */
  log(): string;
}

/** `words`: the command line behind `bin/neutrino`. `log`: file for what it prints. */
export function neutrinoOnHost(host: TestHost, words: readonly string[], log: string): NeutrinoOnHost {
  let running: HostProcess | undefined;
  return {
    async start() {
      running = await host.start({
        command: [process.execPath, '--disable-warning=ExperimentalWarning', '--import', CLOCK, MAIN, ...words],
        log,
        env: { PATH, LANG: 'C.UTF-8', HOME: '/root' },
      });
    },
    async kill() {
      await running?.signal('SIGKILL');
      await running?.ended(10_000);
      running = undefined;
    },
    async stop() {
      await running?.stop();
      running = undefined;
    },
    async jumpClock() {
      await running?.signal('SIGUSR2');
    },
    async ended(timeoutMs) {
      return (await running?.ended(timeoutMs)) ?? 'not started';
    },
    log: () => readFileSync(log, 'utf8'),
  };
}

/** Waits until an API answers. */
export async function awaitApi(url: string): Promise<void> {
  const answers = async () => (await ask(url, 'GET', 'networks?limit=1')).status === 200 || undefined;
  await waitFor(`an answer of ${url}`, answers, { timeoutMs: START_MS, intervalMs: 20 });
}
