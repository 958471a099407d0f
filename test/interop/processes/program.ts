import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Ini, iniText } from '../config-files.ts';
import type { HostProcess, TestHost } from '../hosts/test-host.ts';
import { type StockProgram, stockProgram } from '../stock-packages.ts';

/** Neutrino's command line. */
export const NEUTRINO = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  join(import.meta.dirname, '../../../src/cli/main.ts'),
] as const;
/** Programs of the system alone: a test machine may have another Python first in its PATH. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** What runs: a program of stock Neutron, or a command of Neutrino. */
export type Which =
  | StockProgram
  | 'neutrino server'
  | 'neutrino dhcp-agent'
  | 'neutrino l2-agent'
  | 'neutrino db upgrade';

export interface ProgramSpec {
  readonly which: Which;
  readonly host: TestHost;
  /** Folder for its files. */
  readonly folder: string;
  /** Its INI files by name, in the order of the command line. */
  readonly files: Readonly<Record<string, Ini>>;
  readonly arguments?: readonly string[];
}

/** A program on a test host, to be started, stopped and killed at will. */
export interface Program {
  readonly which: Which;
  readonly isStock: boolean;
  start(): Promise<void>;
  /** SIGTERM. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Resolves to how it ended: `0` when all is well. */
  ended(timeoutMs: number): Promise<string>;
  isRunning(): Promise<boolean>;
  /** All it has logged. */
  log(): string;
}

/** Writes a program's files; does not start it. */
export function makeProgram(spec: ProgramSpec): Program {
  const { which, host, folder } = spec;
  const isStock = !which.startsWith('neutrino ');
  mkdirSync(folder, { recursive: true });
  const files = Object.entries(spec.files).map(([name, ini]) => {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, iniText(ini));
    return file;
  });
  const logFile = join(folder, `${which.replaceAll(' ', '-')}.log`);
  writeFileSync(logFile, '', { flag: 'a' });
  const program: readonly [string, ...string[]] = isStock
    ? [stockProgram(which as StockProgram)]
    : [...NEUTRINO, ...which.split(' ').slice(1)];
  const configured = files.flatMap((file) => ['--config-file', file]);
  let running: HostProcess | undefined;
  return {
    which,
    isStock,
    async start() {
      running = await host.start({
        command: [...program, ...configured, ...(spec.arguments ?? [])],
        log: logFile,
        env: { PATH, LANG: 'C.UTF-8', HOME: '/root' },
      });
    },
    async stop() {
      await running?.stop();
      running = undefined;
    },
    async kill() {
      await running?.signal('SIGKILL');
      await running?.ended(10_000);
      running = undefined;
    },
    async ended(timeoutMs) {
      return running ? running.ended(timeoutMs) : 'not started';
    },
    isRunning: async () => running !== undefined && (await running.isRunning()),
    log: () => readFileSync(logFile, 'utf8'),
  };
}
