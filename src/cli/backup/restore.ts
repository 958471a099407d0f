import { chmodSync, chownSync, existsSync, linkSync, mkdirSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type ConfigInputs, loadConfig } from '../../config/load.ts';
import { isDamaged, isNoDatabase } from '../../db/sqlite/errors.ts';
import { CliFailure } from '../process/failure.ts';
import { hostOfStatePath, keepHost } from '../state/host.ts';
import { lockRoles, SERVER_ROLE } from '../state/lock.ts';
import { prepareStatePath } from '../state/path.ts';
import { copyDatabase, LOCKED_MS, naming, syncName, withPartialFile } from './copy.ts';
import { BACKUP_TABLE, type Contents, inspectDatabase, sqliteFile } from './inspect.ts';

type Print = (line: string) => void;

/** Suffixes of the files of an SQLite database. */
const ENDINGS = ['', '-wal', '-shm', '-journal'];

/**
 * `neutrino restore FILE`: checks a backup and replaces the SQLite database with it; with `force`, an existing database is
 * moved aside. After an interruption, even kill -9, either the old or the new database is in place. Throws CliFailure if FILE is
 * not a backup, Neutrino runs on the state path, or a database exists and `force` is false.
 */
export async function restore(
  inputs: ConfigInputs,
  file: string,
  { force }: { readonly force: boolean },
  print: Print,
): Promise<void> {
  const { config } = loadConfig(inputs);
  const { state_path: statePath } = config.DEFAULT;
  const database = sqliteFile(config);
  const source = resolve(file);
  const contents = await inspectDatabase(source);
  prepareStatePath(statePath);
  const lock = await lockRoles(statePath, [SERVER_ROLE]);
  if ('holder' in lock) {
    const who = `process ${lock.holder?.pid ?? 'unknown'}`;
    throw new CliFailure(`a Neutrino runs on state path ${statePath} (${who}); stop it first (Ctrl-C or SIGTERM)`);
  }
  try {
    mkdirSync(dirname(database), { recursive: true });
    if (!force && ENDINGS.some((ending) => existsSync(database + ending)))
      throw new CliFailure(`${database} exists already; --force moves it aside and restores ${source} in its place`);
    const aside = await replaceDatabase(source, database, () => takeHost(statePath, contents, print));
    print(`Restored ${source} to ${database}: ${contents.summary}`);
    if (aside) print(`The former database is now ${aside}`);
    if (contents.pending.length > 0)
      print(`Its schema is older: "neutrino up" upgrades it when it starts, "neutrino db upgrade" does so now.`);
  } finally {
    lock.release();
  }
}

/** Replaces `database` with a copy of `source`; returns the new name of the old one, if any. `before` runs just before that. */
function replaceDatabase(source: string, database: string, before: () => void): Promise<string | undefined> {
  return withPartialFile(database, async (partial) => {
    await copyDatabase(source, partial, (copy) => copy.exec(`drop table if exists ${BACKUP_TABLE}`));
    await inspectDatabase(partial, `the copy of ${source}`);
    likeOld(partial, database);
    await naming(database, () => foldLog(database));
    before();
    const aside = keepAside(database);
    renameSync(partial, database);
    syncName(database);
    return aside;
  });
}

/** Sets owner and mode of a copy to those of the database that it replaces; without one, the owner to that of the folder. */
function likeOld(path: string, database: string): void {
  const old = statSync(database, { throwIfNoEntry: false });
  if (old) chmodSync(path, old.mode & 0o777);
  const { uid, gid } = old ?? statSync(dirname(database));
  if (process.geteuid?.() === 0) chownSync(path, uid, gid);
}

/** Merges the write-ahead log of a database into its file, so that it can be replaced in one step. Throws SQLITE_BUSY if in use. */
function foldLog(database: string): void {
  // SQLite deletes the log of a database that is empty.
  if (!statSync(database, { throwIfNoEntry: false })?.size) return;
  // Reads first, because SQLite deletes the log of a file that it cannot read.
  for (const readOnly of [true, false]) {
    const file = new DatabaseSync(database, { readOnly, timeout: LOCKED_MS });
    try {
      file.exec(readOnly ? 'select count(*) from sqlite_master' : 'pragma journal_mode = delete');
    } catch (error) {
      // A damaged one is moved aside unchanged, with its log.
      if (isDamaged(error) || isNoDatabase(error)) return;
      throw error;
    } finally {
      file.close();
    }
  }
}

/** Links the files of a database under a dated name; only the main file also keeps its old name, until it is replaced. */
function keepAside(database: string): string | undefined {
  const present = ENDINGS.filter((ending) => existsSync(database + ending));
  if (present.length === 0) return undefined;
  const aside = `${database}.before-restore-${new Date().toISOString().replace(/[-:.]/g, '')}`;
  for (const ending of present) linkSync(database + ending, aside + ending);
  syncName(database);
  for (const ending of present) if (ending !== '') unlinkSync(database + ending);
  return aside;
}

/** Runs before the database is replaced: after a kill between the two, a start under another name is refused and does no harm. */
function takeHost(statePath: string, { host }: Contents, print: Print): void {
  const former = hostOfStatePath(statePath);
  if (host === undefined || host === former) return;
  keepHost(statePath, host);
  if (former !== undefined) print(`State path ${statePath} now belongs to host ${host} (before: ${former})`);
}
