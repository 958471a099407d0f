import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { namespacePath } from '../../../../linux/namespaces.ts';
import { glance, isRunning, type ProcessInfo, showProcess } from '../../../../linux/processes.ts';
import { run } from '../../../../linux/run.ts';
import { type WaitOptions, waitFor } from '../../../../time/wait.ts';
import { readText } from '../../text-file.ts';

/** A running dnsmasq; pid and start time together identify a process uniquely. */
export type ServerProcess = ProcessInfo;

const START_TIMEOUT_MS = 10_000;
const PID_FILE_TIMEOUT_MS = 2_000;

const PID_FILE_ARGUMENT = '--pid-file=';

/** Returns whether the process is idle. */
export function isIdle(server: ServerProcess): boolean {
  return glance(server.pid)?.state === 'S';
}

/** Waits until the process is idle, as dnsmasq is after a reload. */
export async function waitUntilIdle(server: ServerProcess, bound: number | WaitOptions): Promise<void> {
  if (isIdle(server)) return;
  await waitFor(
    `dnsmasq (process ${server.pid}) finishing its reload`,
    () => isIdle(server) || !isRunning(server),
    bound,
  );
}

/** Returns the process in a pid file, if it is a dnsmasq that was started with this pid file. */
export async function findByPidFile(pidFile: string): Promise<ServerProcess | undefined> {
  const text = readText(pidFile)?.trim() ?? '';
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined;
  const found = await showProcess(Number(text));
  return found && isServer(found, pidFile) ? found : undefined;
}

function isServer({ command }: ProcessInfo, pidFile: string): boolean {
  const program = command[0]?.split('/').at(-1);
  return program === 'dnsmasq' && command.includes(`${PID_FILE_ARGUMENT}${pidFile}`);
}

/**
 * Returns processes started with a pid file, by its path, whether they have written it or not: dnsmasq, or the program that is
 * about to exec it. Scans all processes of this machine.
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

/**
 * Starts dnsmasq in a namespace. Once it has bound its sockets, it moves to the background as a child of init: it outlives the
 * agent, and init reaps it. Throws CommandFailed with its output if it cannot start.
 */
export async function startServer(
  command: readonly string[],
  namespace: string,
  pidFile: string,
): Promise<ServerProcess> {
  // nsenter(1) rather than `ip netns exec`, which would give dnsmasq its own mount namespace and thereby keep all
  // current mounts in use, including those of other namespaces' names.
  await run(['nsenter', `--net=${namespacePath(namespace)}`, '--', ...command], { timeoutMs: START_TIMEOUT_MS });
  return awaitPidFile(pidFile);
}

/** Returns the process in the pid file of a dnsmasq that has moved to the background. */
export function awaitPidFile(pidFile: string): Promise<ServerProcess> {
  return waitFor(`dnsmasq writing ${pidFile}`, () => findByPidFile(pidFile), PID_FILE_TIMEOUT_MS);
}

/**
 * Returns whether a process without privileges can reach the files of a folder. dnsmasq drops its privileges; below a folder
 * that is not accessible to others, it must keep them.
 */
export function isOpenToOthers(folder: string): boolean {
  for (let path = folder; ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
