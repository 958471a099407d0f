import { spawn } from 'node:child_process';

/** A command that failed; the message has the command line, how it ended and what it printed. */
export class CommandFailed extends Error {
  readonly command: readonly string[];
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(command: readonly string[], exitCode: number | null, stderr: string, why: string) {
    super(`${command.join(' ')}: ${why}${stderr.trim() ? `: ${stderr.trim()}` : ''}`);
    this.name = 'CommandFailed';
    this.command = command;
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

interface RunOptions {
  /** Text for its standard input. */
  readonly input?: string;
  /** Milliseconds until it is killed and CommandFailed is thrown; default: 30 000. */
  readonly timeoutMs?: number;
  /** Exit codes that are not failures; default: [0]. */
  readonly okCodes?: readonly number[];
  /** Runs it in a new session (setsid(2)), which signals to our process group and terminal do not reach. */
  readonly ownSession?: boolean;
}

const MAX_OUTPUT = 64 * 1024 * 1024;

/**
 * Runs a command to its end, without a shell, and returns its output. All processes that end by themselves are run by this
 * function. Throws CommandFailed when it cannot start, ends with another code than `okCodes`, or exceeds its time.
 */
export function run(
  command: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }> {
  const { input, timeoutMs = 30_000, okCodes = [0], ownSession = false } = options;
  return new Promise((resolve, reject) => {
    const [file, ...args] = command;
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: ownSession });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      if (stdout.length > MAX_OUTPUT) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (stderr.length < 65_536) stderr += chunk;
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new CommandFailed(command, null, '', `cannot be started (${error.message})`));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (timedOut) reject(new CommandFailed(command, code, stderr, `did not end within ${timeoutMs} ms`));
      else if (code !== null && okCodes.includes(code)) resolve({ stdout, stderr, exitCode: code });
      else reject(new CommandFailed(command, code, stderr, signal ? `ended by ${signal}` : `exit code ${code}`));
    });
    // EPIPE when the command ends without reading its input: the exit code shows what was wrong.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}
