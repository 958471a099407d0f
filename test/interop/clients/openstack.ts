import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { run } from '../../../src/linux/run.ts';
import type { Cloud } from './cloud.ts';
import { COMMANDS } from './openstack-commands.ts';
import type { Result } from './results.ts';

const SCRIPT = join(import.meta.dirname, 'openstack_commands.py');
/** The system's Python, because a test machine may have another one first in its PATH. */
const PYTHON = '/usr/bin/python3';

/** Commands that print JSON. */
const PRINTING = / (create|show|list|list-advertised)( |$)/;
const SILENT = /^(network agent add|router add|network onboard)/;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An `openstack` client that runs commands one after the other. */
class OpenStackClient {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  constructor(env: Readonly<Record<string, string>>) {
    this.#child = spawn(PYTHON, [SCRIPT], { env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/root', ...env } });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.resume();
  }

  async run(words: readonly string[]): Promise<Ran> {
    this.#child.stdin.write(`${JSON.stringify(words)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`the client ended at: ${words.join(' ')}`);
    return JSON.parse(value) as Ran;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Returns the names of all network commands that are installed. */
export async function installedCommands(): Promise<readonly string[]> {
  const { stdout } = await run([PYTHON, SCRIPT, '--list']);
  return JSON.parse(stdout) as string[];
}

type Kept = Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[];

/** Replaces `{NAME.key}` by the values of earlier outputs. */
function filled(word: string, kept: ReadonlyMap<string, Kept>): string {
  return word.replace(/\{([\w-]+)\.([\w.]+)\}/g, (_, name: string, path: string) => {
    const value = path
      .split('.')
      .reduce<unknown>((of, key) => (of as Record<string, unknown> | undefined)?.[key], kept.get(name));
    return value === undefined ? 'missing' : String(value);
  });
}

/** Runs all commands of the table; a command that ends with an error has failed. */
export async function runCommands({ env }: Pick<Cloud, 'env'>): Promise<readonly Result[]> {
  const client = new OpenStackClient(env);
  const kept = new Map<string, Kept>();
  const results: Result[] = [];
  try {
    for (const line of Object.values(COMMANDS).flat()) {
      const [, name, test = line] = /^(?:([\w-]+) = )?(.*)$/.exec(line) ?? [];
      const prints = PRINTING.test(test) && !SILENT.test(test);
      const words = test.split(' ').map((word) => filled(word, kept));
      const { code, stdout, stderr } = await client.run([...words, ...(prints ? ['-f', 'json'] : [])]);
      if (name !== undefined && code === 0) kept.set(name, JSON.parse(stdout) as Kept);
      results.push(code === 0 ? { test, outcome: 'passed' } : { test, outcome: 'failed', why: stderr.trim() });
    }
  } finally {
    client.close();
  }
  return results;
}
