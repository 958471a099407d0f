import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Config } from '../../config/options.ts';
import { CliFailure } from '../process/failure.ts';
import { lockRoles, SERVER_ROLE } from '../state/lock.ts';
import { prepareStatePath } from '../state/path.ts';
import { contentsText, copyDatabase, removeDatabase, sqliteFile, upgradeCopy } from './copy.ts';

export interface RestoreWishes {
  /** Moves an existing database aside. */
  readonly force: boolean;
  /** The flags that name the state path. */
  readonly place: string;
}

/**
 * `neutrino restore`: puts a backup in the place of the database, checked and with the schema of this version. The backup itself
 * is left unchanged. Throws CliFailure, having changed nothing, when Neutrino runs, the backup is not usable, or a database exists
 * and `force` is not set.
 */
export async function restore(
  config: Config,
  file: string,
  { force, place }: RestoreWishes,
  print: (line: string) => void,
): Promise<void> {
  const database = sqliteFile(config);
  const { state_path: statePath } = config.DEFAULT;
  if (!existsSync(file)) throw new CliFailure(`there is no file ${file}`);
  if (resolve(file) === resolve(database)) throw new CliFailure(`${file} is the database itself`);
  prepareStatePath(statePath);
  const lock = await lockRoles(statePath, [SERVER_ROLE]);
  if ('holder' in lock) {
    const who = lock.holder ? ` (process ${lock.holder.pid})` : '';
    throw new CliFailure(`a Neutrino runs on state path ${statePath}${who}; stop it first: bin/neutrino down${place}`);
  }
  try {
    if (existsSync(database) && !force)
      throw new CliFailure(`${database} exists already; --force moves it aside, or choose another --state-path`);
    mkdirSync(dirname(database), { recursive: true });
    const unfinished = `${database}.restoring`;
    removeDatabase(unfinished);
    try {
      const contents = await copyDatabase(file, unfinished);
      await upgradeCopy(file, unfinished);
      if (existsSync(database)) print(`The former database is ${moveAside(database)} now.`);
      renameSync(unfinished, database);
      print(`Restored ${database} from ${file}: ${contentsText(contents)}.`);
    } finally {
      removeDatabase(unfinished);
    }
  } finally {
    lock.release();
  }
}

/** Renames a database with the files beside it; returns its new name. */
function moveAside(database: string): string {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const aside = [`${database}.${stamp}`, ...Array.from({ length: 99 }, (_, i) => `${database}.${stamp}-${i + 1}`)].find(
    (name) => !existsSync(name),
  );
  if (aside === undefined) throw new CliFailure(`${database}: no free name to move it to`);
  emptyWal(database);
  for (const ending of ['-wal', '-shm', ''])
    if (existsSync(`${database}${ending}`)) renameSync(`${database}${ending}`, `${aside}${ending}`);
  return aside;
}

/** Puts what is in the WAL into the database's own file, so that a kill between two renames loses nothing. */
function emptyWal(database: string): void {
  try {
    const held = new DatabaseSync(database);
    try {
      held.exec('pragma wal_checkpoint(truncate)');
    } finally {
      held.close();
    }
  } catch {
    // A damaged one, which is often why a backup is restored, is moved as it is.
  }
}
