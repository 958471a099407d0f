import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { isBusy, isDamaged, isNoDatabase } from '../../db/sqlite/errors.ts';
import { WaitTimeout, waitFor } from '../../time/wait.ts';
import { CliFailure } from '../process/failure.ts';

/** Time limit for copying a database, in milliseconds. */
const COPY_MS = 600_000;
/** Time limit for the locks of other processes, in milliseconds. */
export const LOCKED_MS = 2_000;
/** Pages copied at a time: 4 MB. */
const PAGES = 1_000;

/** Runs `work` on the database file `name`. Throws errors that name the file: CliFailure if an operator can fix the cause. */
export async function naming<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isBusy(error)) throw new CliFailure(`${name} is locked by another process (waited ${LOCKED_MS / 1000} s)`);
    if (isNoDatabase(error)) throw new CliFailure(`${name} is not an SQLite database`);
    if (isDamaged(error)) throw new CliFailure(`${name} is damaged`);
    if (error instanceof WaitTimeout) throw new CliFailure(error.message);
    throw error instanceof Error && 'errcode' in error ? Object.assign(error, { path: name }) : error;
  }
}

/**
 * Copies a database, which may be in use, to the new file `target` with SQLite's online backup, and lets `edit` change the copy.
 * The copy is on disk when this resolves. Throws CliFailure after `limitMs`: copying may then continue, and the process should
 * end.
 */
export async function copyDatabase(
  source: string,
  target: string,
  edit: (copy: DatabaseSync) => void,
  limitMs: number = COPY_MS,
): Promise<void> {
  closeSync(openSync(target, 'wx', 0o600));
  const file = await naming(source, () => openSnapshot(source));
  await naming(`the copy of ${source}`, async () => {
    await waitFor(`SQLite to copy ${source} to ${target}`, backup(file, target, { rate: PAGES }), limitMs);
    file.close();
    const copy = new DatabaseSync(target);
    edit(copy);
    // Makes it a single file, which can also be read on a read-only disk.
    copy.exec('pragma journal_mode = delete');
    copy.close();
  });
  syncToDisk(target);
}

/** Opens a database and holds a snapshot, because each write of another process would restart the copy, which might never end. */
function openSnapshot(path: string): DatabaseSync {
  const file = new DatabaseSync(path, { timeout: LOCKED_MS });
  file.exec('begin');
  file.prepare('select count(*) from sqlite_master').get();
  return file;
}

/** Runs `work` with the path of a temporary file on the disk of `file`; removes it afterwards, unless `work` has moved it. */
export async function withPartialFile<T>(file: string, work: (partial: string) => Promise<T>): Promise<T> {
  // A folder, because SQLite creates a journal beside its file.
  const folder = mkdtempSync(`${file}.partial-`);
  try {
    return await work(join(folder, 'database'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function syncToDisk(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Waits until the directory entry of a file is on disk. */
export const syncName = (file: string): void => syncToDisk(dirname(file));
