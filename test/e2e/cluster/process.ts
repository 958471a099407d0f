import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../../src/lab/wait.ts';
import { type Ini, iniText } from '../../interop/config-files.ts';
import type { HostProcess, TestHost } from '../../interop/hosts/test-host.ts';

const MAIN = join(import.meta.dirname, '../../../src/cli/main.ts');
const START_MS = 60_000;

export interface ClusterProcessSpec {
  readonly host: TestHost;
  /** `server`, `dhcp-agent`, `l2-agent`. */
  readonly command: string;
  /** Folder for its files. */
  readonly folder: string;
  /** Its INI files by name, in the order of the command line. */
  readonly files: Readonly<Record<string, Ini>>;
}

/** One `neutrino ...` on a test host, started, stopped and killed at will. */
export interface ClusterProcess {
  readonly name: string;
  /** Resolves when it says that it is ready. */
  start(): Promise<void>;
  /** Starts it without waiting for anything. */
  launch(): Promise<void>;
  /** SIGTERM; throws unless it ends with code 0. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  isRunning(): Promise<boolean>;
  /** Runs another command of the command line with the same files; resolves to what it printed. */
  run(...words: readonly string[]): Promise<string>;
  /** All that it has logged, in all its lives. */
  log(): string;
  /** Waits until its log has this text, in what it has logged since `from` characters. */
  logged(text: string | RegExp, timeoutMs: number, from?: number): Promise<void>;
}

/** Writes its files; does not start it. */
export function makeClusterProcess({ host, command, folder, files }: ClusterProcessSpec): ClusterProcess {
  const name = `${command} on ${host.name}`;
  const logFile = join(folder, `${command}.log`);
  writeFileSync(logFile, '', { flag: 'a' });
  const configured = Object.entries(files).flatMap(([file, ini]) => {
    writeFileSync(join(folder, file), iniText(ini));
    return ['--config-file', join(folder, file)];
  });
  const words = (first: readonly string[]): readonly [string, ...string[]] => [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    MAIN,
    ...first,
    ...configured,
  ];
  let running: HostProcess | undefined;
  const log = () => readFileSync(logFile, 'utf8');
  const lastWords = () => log().slice(-4_000);
  const logged: ClusterProcess['logged'] = async (text, timeoutMs, from = 0) => {
    const found = (said: string) => (typeof text === 'string' ? said.includes(text) : text.test(said));
    await waitFor(
      `${name} to log ${text}`,
      async () => {
        if (found(log().slice(from))) return true;
        if (running && !(await running.isRunning())) throw new Error(`${name} ended; it said:\n${lastWords()}`);
        return undefined;
      },
      { timeoutMs, intervalMs: 100 },
    );
  };
  const launch = async () => {
    const env = { PATH: process.env.PATH ?? '', HOME: '/root', LANG: 'C.UTF-8' };
    running = await host.start({ command: words([command]), log: logFile, env });
  };
  return {
    name,
    launch,
    async start() {
      const from = log().length;
      await launch();
      await logged('"ready: ', START_MS, from);
    },
    async stop() {
      await running?.signal('SIGTERM');
      const end = await running?.ended(20_000);
      running = undefined;
      if (end !== undefined && end !== '0') throw new Error(`${name} ended with ${end}; it said:\n${lastWords()}`);
    },
    async kill() {
      await running?.signal('SIGKILL');
      await running?.ended(10_000);
      running = undefined;
    },
    isRunning: async () => running !== undefined && (await running.isRunning()),
    run: (...given) => host.run(...words(given)),
    log,
    logged,
  };
}
