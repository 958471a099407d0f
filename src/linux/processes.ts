import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { WaitTimeout, waitFor } from '../time/wait.ts';

/** A process that has not ended, as /proc shows it; a zombie, which only waits for its parent, has ended. */
export interface ProcessInfo {
  readonly pid: number;
  /** Its arguments, the program first. Empty for kernel threads. */
  readonly command: readonly string[];
  /** Clock ticks after boot: with the pid it identifies a process, because pids are reused. */
  readonly startTime: number;
}

function checkPid(pid: number): number {
  // kill(0) and kill(-1) mean whole groups of processes: never by accident because of a broken pid file.
  if (!Number.isSafeInteger(pid) || pid < 1) throw new Error(`process id ${pid}: a whole number from 1 up`);
  return pid;
}

/** Returns the process with this id, or undefined when there is none. */
export async function showProcess(pid: number): Promise<ProcessInfo | undefined> {
  try {
    const [stat, command] = await Promise.all([
      readFile(`/proc/${checkPid(pid)}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The name in parentheses may itself contain spaces and parentheses: fields are counted from the last one (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { pid, command: command.split('\0').slice(0, -1), startTime: Number(fields[19]) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
}

/**
 * Returns state letter and start time from /proc/PID/stat (proc(5)); undefined if the process has ended. Takes a few
 * microseconds.
 */
export function glance(pid: number): { readonly state: string; readonly startTime: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startTime: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

/** Returns whether this process still runs: not another one with the same pid, and not a zombie. */
export function isRunning({ pid, startTime }: ProcessInfo): boolean {
  const seen = glance(pid);
  return seen?.startTime === startTime && seen.state !== 'Z' && seen.state !== 'X';
}

export async function isAlive(pid: number): Promise<boolean> {
  return (await showProcess(pid)) !== undefined;
}

/** Sends a signal; returns false if the process does not exist. Throws EPERM and similar errors. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(checkPid(pid), signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Waits until a process has ended; resolves to whether it did within `timeoutMs`. The pid may be anybody's, not only a child's:
 * Node offers no event for those, so /proc is looked at, often at first.
 */
export async function waitForEnd(pid: number, timeoutMs: number): Promise<boolean> {
  try {
    return await waitFor(`the end of process ${pid}`, async () => !(await isAlive(pid)), timeoutMs);
  } catch (error) {
    if (error instanceof WaitTimeout) return !(await isAlive(pid));
    throw error;
  }
}

/**
 * Ends a process: SIGTERM, and SIGKILL after `graceMs`. Resolves when it has ended; an absent one is not an error.
 * Throws when it does not even end within 5 s of SIGKILL (stuck in the kernel).
 */
export async function endProcess(pid: number, graceMs = 3_000): Promise<void> {
  if (!signalProcess(pid, 'SIGTERM') || (await waitForEnd(pid, graceMs))) return;
  if (!signalProcess(pid, 'SIGKILL') || (await waitForEnd(pid, 5_000))) return;
  throw new Error(`process ${pid} did not end within 5 s of SIGKILL`);
}
