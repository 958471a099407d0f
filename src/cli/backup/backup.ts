import { existsSync, lstatSync, renameSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type ConfigInputs, loadConfig } from '../../config/load.ts';
import { placeFlags, shellWord } from '../config/flags.ts';
import { CliFailure } from '../process/failure.ts';
import { hostOfStatePath } from '../state/host.ts';
import { copyDatabase, syncName, withPartialFile } from './copy.ts';
import { BACKUP_TABLE, inspectDatabase, sqliteFile } from './inspect.ts';

/**
 * `neutrino backup FILE`: copies the SQLite database to a new file, even while Neutrino runs, and checks the copy. FILE appears
 * once it is complete. Throws CliFailure if FILE exists or cannot be created, or the database is missing or damaged.
 */
export async function backUp(inputs: ConfigInputs, file: string, print: (line: string) => void): Promise<void> {
  const loaded = loadConfig(inputs);
  const { config } = loaded;
  const database = sqliteFile(config);
  if (!existsSync(database)) throw new CliFailure(`there is no database ${database}; is --state-path right?`);
  const target = resolve(file);
  const folder = dirname(target);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new CliFailure(`there is no folder ${folder}`);
  refuseExisting(target);
  await withPartialFile(target, async (partial) => {
    const host = hostOfStatePath(config.DEFAULT.state_path);
    await copyDatabase(database, partial, (copy) => {
      copy.exec(`drop table if exists ${BACKUP_TABLE}; create table ${BACKUP_TABLE} (host text)`);
      copy.prepare(`insert into ${BACKUP_TABLE} (host) values (?)`).run(host ?? null);
    });
    const { summary } = await inspectDatabase(partial, `the copy of ${database}`);
    refuseExisting(target);
    renameSync(partial, target);
    syncName(target);
    print(`Backup of ${database} written to ${target}: ${summary}`);
    // With --force, because a database exists.
    print(
      `Stop Neutrino and restore it with: bin/neutrino restore --force${placeFlags(inputs, loaded)} ${shellWord(target)}`,
    );
  });
}

function refuseExisting(target: string): void {
  if (lstatSync(target, { throwIfNoEntry: false }))
    throw new CliFailure(`${target} exists already; choose another file, because a backup overwrites nothing`);
}
