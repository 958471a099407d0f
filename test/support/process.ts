import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

export interface ProcessSpec {
  readonly command: readonly [string, ...string[]];
  /** Files to which its output is appended. */
  readonly stdout: string;
  readonly stderr: string;
  readonly env: Readonly<Record<string, string>>;
  /** User and group id; default: those of the caller. */
  readonly user?: number | undefined;
}

/** A process started by a test, on this machine or on a test host. */
export interface RunningProcess {
  /** Its pid on its own host. */
  readonly pid: number;
  signal(signal: NodeJS.Signals): Promise<void>;
  isRunning(): Promise<boolean>;
  /** Resolves to its exit code or signal when it has ended; throws after the time limit. */
  ended(timeoutMs: number): Promise<string>;
}

/** Starts a process on this machine. Throws if the program cannot be started. */
export async function startProcess({ command, stdout, stderr, env, user }: ProcessSpec): Promise<RunningProcess> {
  const [file, ...args] = command;
  const outputs = [stdout, stderr].map((path) => openSync(path, 'a'));
  try {
    const child = spawn(file, args, {
      env,
      stdio: ['ignore', ...outputs],
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    const exited = once(child, 'exit');
    await once(child, 'spawn');
    return {
      pid: child.pid ?? 0,
      signal: async (signal) => void child.kill(signal),
      isRunning: async () => child.exitCode === null && child.signalCode === null,
      async ended(timeoutMs) {
        const { promise: late, reject } = Promise.withResolvers<never>();
        const timer = setTimeout(
          () => reject(new Error(`${command.join(' ')} did not end within ${timeoutMs} ms`)),
          timeoutMs,
        );
        await Promise.race([exited, late]).finally(() => clearTimeout(timer));
        return String(child.exitCode ?? child.signalCode);
      },
    };
  } finally {
    for (const output of outputs) closeSync(output);
  }
}
