import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { showProcess } from '../../linux/processes.ts';

/** The Neutrino that runs on a state path. */
export interface RunningNeutrino {
  readonly pid: number;
  /** Start time of the process in clock ticks after boot; with the pid, it identifies the process. */
  readonly startTime: number;
  /** Base URL of its API; undefined while it starts. */
  readonly url?: string;
  /** Name under which its agents report. */
  readonly host?: string;
}

export interface StateLock {
  /** Records the URL of this process's API, and the name of its host. */
  announce(url: string, host: string): void;
  /** Unlocks the state path. */
  release(): void;
}

/** Role of a process on a state path: SERVER_ROLE, or the name of an agent kind. */
type StateRole = string;

/** The role of the process that uses the database: `up`, or a server on SQLite. */
export const SERVER_ROLE = 'up';

/** Returns the name of the file that a role locks, which is deleted with the state path. */
export const lockFile = (role: StateRole) => `${role}.lock`;
const recordFile = (role: StateRole) => `${role}.json`;

/** Another process has locked the state path. */
export interface StateTaken {
  readonly role: StateRole;
  /** Undefined if the process is unknown. */
  readonly holder: RunningNeutrino | undefined;
}

/** Locks a state path in several roles, all or none. */
export async function lockRoles(statePath: string, roles: readonly StateRole[]): Promise<StateLock | StateTaken> {
  const locks: StateLock[] = [];
  const release = () => {
    for (const one of locks.splice(0).reverse()) one.release();
  };
  for (const role of roles) {
    const lock = await lockStatePath(statePath, role);
    if (!lock) {
      release();
      return { role, holder: await runningNeutrino(statePath, role) };
    }
    locks.push(lock);
  }
  return { announce: (url, host) => locks[0]?.announce(url, host), release };
}

/**
 * Locks the state path for this process in a role; returns undefined if another process holds that lock. It is a kernel lock on a
 * file, taken through SQLite, and ends with the process, even by kill -9, so no lock is ever stale. The record beside it
 * (pid, URL, host) only names the holder.
 */
async function lockStatePath(statePath: string, role: StateRole): Promise<StateLock | undefined> {
  const release = holdFile(join(statePath, lockFile(role)));
  if (!release) return undefined;
  const record = join(statePath, recordFile(role));
  const self = await showProcess(process.pid);
  const write = (url?: string, host?: string) => {
    const running: RunningNeutrino = {
      pid: process.pid,
      startTime: self?.startTime ?? 0,
      ...(url && host ? { url, host } : {}),
    };
    writeFileSync(`${record}.new`, `${JSON.stringify(running)}\n`);
    renameSync(`${record}.new`, record);
  };
  try {
    write();
  } catch (error) {
    rmSync(`${record}.new`, { force: true });
    release();
    // Node does not name the file if the disk was full.
    throw Object.assign(error as Error, { path: record });
  }
  return {
    announce: write,
    release: () => {
      rmSync(record, { force: true });
      release();
    },
  };
}

/**
 * Returns the Neutrino that runs on the state path in a role; undefined if there is none. Ignores the record of a killed process,
 * and one whose pid now belongs to another process.
 */
export async function runningNeutrino(
  statePath: string,
  role: StateRole = SERVER_ROLE,
): Promise<RunningNeutrino | undefined> {
  let running: RunningNeutrino;
  try {
    running = JSON.parse(readFileSync(join(statePath, recordFile(role)), 'utf8')) as RunningNeutrino;
  } catch {
    return undefined;
  }
  if (!Number.isSafeInteger(running.pid) || running.pid < 1) return undefined;
  const found = await showProcess(running.pid);
  const same = found?.startTime === running.startTime && found.command.some((word) => word.endsWith('main.ts'));
  return same ? running : undefined;
}

/** Locks a file until the returned function is called; returns undefined if another process has locked it. */
function holdFile(path: string): (() => void) | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    // SQLITE_BUSY
    if ((error as { errcode?: number }).errcode === 5) return undefined;
    throw Object.assign(error as Error, { path });
  }
  const held = database;
  return () => held.close();
}
