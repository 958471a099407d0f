import { readFileSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { namespacePath } from '../../../../linux/namespaces.ts';
import { type ProcessInfo, showProcess } from '../../../../linux/processes.ts';
import { run } from '../../../../linux/run.ts';
import { waitFor } from '../../../../time/wait.ts';
import { readText } from './text-file.ts';

/** A running dnsmasq; pid and start time together name one process for good. */
export type ServerProcess = ProcessInfo;

const START_TIMEOUT_MS = 10_000;
const PID_FILE_TIMEOUT_MS = 2_000;

const PID_FILE_ARGUMENT = '--pid-file=';

/** State letter and start time out of /proc/PID/stat (proc(5)); undefined when the process is gone. Costs some microseconds. */
function glance(pid: number): { readonly state: string; readonly startTime: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startTime: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

/** Whether this very process still runs: not another one under its number, and not a zombie that nobody has buried. */
export function isRunning({ pid, startTime }: ServerProcess): boolean {
  const seen = glance(pid);
  return seen?.startTime === startTime && seen.state !== 'Z' && seen.state !== 'X';
}

/** Whether the process waits for something to happen. */
export function isIdle(server: ServerProcess): boolean {
  return glance(server.pid)?.state === 'S';
}

/** Waits until the process waits for something to happen: dnsmasq does nothing else when it is done with a reload. */
export async function waitUntilIdle(server: ServerProcess, timeoutMs: number): Promise<void> {
  await waitFor(
    `dnsmasq (process ${server.pid}) finishing its reload`,
    () => isIdle(server) || !isRunning(server),
    timeoutMs,
  );
}

/** The process that a pid file names, if it is a dnsmasq that was started with this pid file. */
export async function findByPidFile(pidFile: string): Promise<ServerProcess | undefined> {
  const text = (await readText(pidFile))?.trim() ?? '';
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined;
  const found = await showProcess(Number(text));
  return found && isServer(found, pidFile) ? found : undefined;
}

function isServer({ command }: ProcessInfo, pidFile: string): boolean {
  const program = command[0]?.split('/').at(-1);
  return program === 'dnsmasq' && command.includes(`${PID_FILE_ARGUMENT}${pidFile}`);
}

/**
 * By pid file, the processes that were given one, whether they have written it or not: dnsmasq, or the program that is about
 * to become it. Looks at every process of this machine.
 */
export async function findByArgument(): Promise<ReadonlyMap<string, readonly ServerProcess[]>> {
  const found = new Map<string, ServerProcess[]>();
  for (const entry of await readdir('/proc')) {
    const process = /^\d+$/.test(entry) ? await showProcess(Number(entry)) : undefined;
    const pidFile = process?.command.find((one) => one.startsWith(PID_FILE_ARGUMENT))?.slice(PID_FILE_ARGUMENT.length);
    if (process && pidFile) found.set(pidFile, [...(found.get(pidFile) ?? []), process]);
  }
  return found;
}

/** Whether the process is in the namespace that now has this name. One made anew under an old name is another one. */
export async function isInNamespace({ pid }: ServerProcess, namespace: string): Promise<boolean> {
  try {
    const [its, wanted] = await Promise.all([stat(`/proc/${pid}/ns/net`), stat(namespacePath(namespace))]);
    return its.ino === wanted.ino && its.dev === wanted.dev;
  } catch {
    return false;
  }
}

/**
 * Starts dnsmasq in a namespace. It puts itself into the background once it has bound its sockets, as a child of init: it
 * outlives us, and init buries it. Throws CommandFailed with what it said when it cannot start.
 */
export async function startServer(
  command: readonly string[],
  namespace: string,
  pidFile: string,
): Promise<ServerProcess> {
  // nsenter(1) rather than `ip netns exec`, which would give dnsmasq a mount namespace of its own and with it a hold on
  // whatever is mounted now, other namespaces' names among it.
  await run(['nsenter', `--net=${namespacePath(namespace)}`, '--', ...command], { timeoutMs: START_TIMEOUT_MS });
  return awaitPidFile(pidFile);
}

/** The process that a dnsmasq which has gone into the background names in its pid file. */
export function awaitPidFile(pidFile: string): Promise<ServerProcess> {
  return waitFor(`dnsmasq writing ${pidFile}`, () => findByPidFile(pidFile), PID_FILE_TIMEOUT_MS);
}

/**
 * Whether a process without privileges can come to the files of a folder. dnsmasq gives up its privileges; below a folder
 * closed to others it has to keep them.
 */
export function isOpenToOthers(folder: string): boolean {
  for (let path = folder; ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
