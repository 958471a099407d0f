import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../src/time/wait.ts';
import { type ProcessSpec, type RunningProcess, startProcess } from './process.ts';

/** Only the system's programs, because a test machine may have another Python first in its PATH. */
const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

const WAIT_MS = 60_000;
const STOP_MS = 20_000;
const LAST_WORDS = 4_000;

/** The location of a program: a test host (`hosts/test-host.ts`), or this machine. */
export interface Host {
  readonly name: string;
  start(spec: ProcessSpec): Promise<RunningProcess>;
}

const THIS_MACHINE: Host = { name: 'this machine', start: startProcess };

export interface ProgramSpec {
  /** Its name in messages; its files are `<name>.out` and `<name>.log`. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Folder for its output; created if missing. */
  readonly folder: string;
  /** Default: this machine. */
  readonly host?: Host | undefined;
  /** In addition to PATH, LANG and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: number | undefined;
}

export interface OutputWait {
  /** Default: 60 000. */
  readonly timeoutMs?: number;
  /** Ignores this many characters of earlier output; default: 0. */
  readonly from?: number;
}

/**
 * A program that a test can start, stop and kill repeatedly, on this machine or on a test host. Its output is appended to the same
 * two files.
 */
export class Program {
  readonly name: string;
  readonly #spec: ProgramSpec;
  readonly #out: string;
  readonly #log: string;
  #running: RunningProcess | undefined;
  #starting: Promise<void> | undefined;

  constructor(spec: ProgramSpec) {
    this.name = spec.name;
    this.#spec = spec;
    mkdirSync(spec.folder, { recursive: true });
    const file = (ending: string) => {
      const path = join(spec.folder, `${spec.name.replaceAll(/[ /]/g, '-')}.${ending}`);
      writeFileSync(path, '', { flag: 'a' });
      return path;
    };
    this.#out = file('out');
    this.#log = file('log');
  }

  /** Starts it without waiting until it is ready. */
  start(): Promise<void> {
    const { command, host = THIS_MACHINE, env, user } = this.#spec;
    const begin = async () => {
      this.#running = await host.start({
        command,
        stdout: this.#out,
        stderr: this.#log,
        env: { PATH: SYSTEM_PATH, LANG: 'C.UTF-8', HOME: process.env.HOME ?? '/root', ...env },
        user,
      });
    };
    this.#starting = begin();
    // The next caller receives a failure, even if nothing waits for it here.
    this.#starting.catch(() => undefined);
    return this.#starting;
  }

  get pid(): number {
    return this.#running?.pid ?? 0;
  }

  /** All of its standard output. */
  get stdout(): string {
    return readFileSync(this.#out, 'utf8');
  }

  /** All of its standard error, where logs are. */
  get stderr(): string {
    return readFileSync(this.#log, 'utf8');
  }

  /** Returns the end of its output, for messages. */
  lastWords(): string {
    return `${this.stdout.slice(-LAST_WORDS)}${this.stderr.slice(-LAST_WORDS)}`;
  }

  async isRunning(): Promise<boolean> {
    await this.#starting;
    return (await this.#running?.isRunning()) ?? false;
  }

  /** Waits until its standard output matches; throws an error with its last output if it ends without a match. */
  printed(pattern: RegExp, options?: OutputWait): Promise<RegExpExecArray> {
    return this.#shown('print', () => this.stdout, pattern, options);
  }

  /** Waits until its standard error matches; throws an error with its last output if it ends without a match. */
  logged(pattern: RegExp, options?: OutputWait): Promise<RegExpExecArray> {
    return this.#shown('log', () => this.stderr, pattern, options);
  }

  async #shown(
    verb: string,
    read: () => string,
    pattern: RegExp,
    { timeoutMs = WAIT_MS, from = 0 }: OutputWait = {},
  ): Promise<RegExpExecArray> {
    const look = async () => {
      // In this order, because its last output is written before it ends.
      const runs = await this.isRunning();
      const match = pattern.exec(read().slice(from));
      if (!match && !runs) throw new Error(`${this.name} ended without ${verb}ing ${pattern}:\n${this.lastWords()}`);
      return match;
    };
    return this.#explained(waitFor(`${this.name} to ${verb} ${pattern}`, look, timeoutMs));
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    await this.#starting;
    await this.#running?.signal(signal);
  }

  /** Waits until it has ended; resolves to its exit code, or null if a signal ended it or it was never started. */
  async exitCode(timeoutMs = WAIT_MS): Promise<number | null> {
    await this.#starting;
    const end = await this.#explained(this.#running?.ended(timeoutMs) ?? Promise.resolve('not started'));
    return /^\d+$/.test(end) ? Number(end) : null;
  }

  /** Sends a signal and waits until it has ended. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    await this.signal(signal);
    return this.exitCode(STOP_MS);
  }

  /** Sends SIGTERM; throws if that does not end it. */
  stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  /** Sends SIGKILL. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Sends SIGTERM, and SIGKILL if that does not end it. */
  async shutDown(): Promise<void> {
    if (!(await this.isRunning().catch(() => false))) return;
    await this.stop().catch(() => this.kill());
  }

  #explained<T>(waiting: Promise<T>): Promise<T> {
    return waiting.catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      if (message.includes('\n')) throw error;
      throw new Error(`${message}; its output:\n${this.lastWords()}`, { cause: error });
    });
  }
}
