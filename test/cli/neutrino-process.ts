import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** A `neutrino ...` process of a test. Those that still run at the end are killed by `killAll`. */
export class NeutrinoProcess {
  static readonly #all = new Set<NeutrinoProcess>();
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  stdout = '';
  stderr = '';

  private constructor(words: readonly string[], user: number | undefined) {
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout.setEncoding('utf8').on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (chunk) => {
      this.stderr += chunk;
    });
    NeutrinoProcess.#all.add(this);
  }

  static start(...words: readonly string[]): NeutrinoProcess {
    return new NeutrinoProcess(words, undefined);
  }

  /** As another user than root, who has to be root for it. */
  static asUser(user: number, ...words: readonly string[]): NeutrinoProcess {
    return new NeutrinoProcess(words, user);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves with what `pattern` matches in standard output; throws when the process ends without it. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`ended without printing ${pattern}:\n${this.stdout}${this.stderr}`);
      }
      await Promise.race([once(this.#child.stdout, 'data'), this.#closed]);
    }
  }

  /** Resolves with what `pattern` matches in standard error, where the log is; throws when the process ends without it. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stderr);
      if (match) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`ended without logging ${pattern}:\n${this.stdout}${this.stderr}`);
      }
      await Promise.race([once(this.#child.stderr, 'data'), this.#closed]);
    }
  }

  /** URL of the API of `neutrino up`, when it is there. */
  async url(): Promise<string> {
    return (await this.printed(/API +(http:\S+)/))[1] ?? '';
  }

  /** Sends a signal and gives the exit code, null when the signal ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.exitCode();
  }

  async exitCode(): Promise<number | null> {
    await this.#closed;
    NeutrinoProcess.#all.delete(this);
    return this.#child.exitCode;
  }

  static async killAll(): Promise<void> {
    await Promise.all([...NeutrinoProcess.#all].map((one) => one.end('SIGKILL')));
  }
}

/** Runs a command to its end. */
export async function neutrino(
  ...words: readonly string[]
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const ended = NeutrinoProcess.start(...words);
  const code = await ended.exitCode();
  return { code, stdout: ended.stdout, stderr: ended.stderr };
}
