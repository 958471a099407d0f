import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { LabFailure } from './failure.ts';

/**
 * Starts a program that outlives this process, in its own session, without a terminal, with its output appended to `log`.
 * Resolves to its pid once the program has been started. Throws if it cannot be started. The caller must check whether it keeps
 * running.
 */
export async function startDetached(
  command: readonly [string, ...string[]],
  options: { readonly log: string; readonly folder?: string; readonly env?: Readonly<Record<string, string>> },
): Promise<number> {
  const [file, ...args] = command;
  const log = openSync(options.log, 'a');
  try {
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', log, log],
      ...(options.folder === undefined ? {} : { cwd: options.folder }),
      env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', ...options.env },
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new LabFailure(`${file} cannot be started: ${error.message}`)));
    });
    child.unref();
    return child.pid ?? 0;
  } finally {
    closeSync(log);
  }
}

/** Returns the last line of a program's log, for messages; empty when there is none. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}
