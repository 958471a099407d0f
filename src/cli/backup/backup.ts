import { existsSync, linkSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../config/options.ts';
import { CliFailure } from '../process/failure.ts';
import { contentsText, copyDatabase, removeDatabase, sqliteFile } from './copy.ts';

/**
 * `neutrino backup`: copies the database to a new file, which appears complete or not at all. Throws CliFailure when there is no
 * database, or the file exists. `place`: the flags that name the state path.
 */
export async function backUp(
  config: Config,
  file: string,
  place: string,
  print: (line: string) => void,
): Promise<void> {
  const database = sqliteFile(config);
  if (!existsSync(database))
    throw new CliFailure(`there is no database ${database}; choose its state path with --state-path`);
  if (existsSync(file)) throw alreadyThere(file);
  if (!existsSync(dirname(file))) throw new CliFailure(`${file}: there is no folder ${dirname(file)}`);
  const unfinished = `${file}.unfinished-${process.pid}`;
  removeDatabase(unfinished);
  const contents = await copyDatabase(database, unfinished);
  try {
    // Not rename, which would overwrite a file that has appeared meanwhile.
    linkSync(unfinished, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw alreadyThere(file);
    throw error;
  } finally {
    rmSync(unfinished, { force: true });
  }
  const size = (statSync(file).size / 2 ** 20).toFixed(1);
  print(`Backup of ${database} written to ${file}: ${contentsText(contents)}, ${size} MiB.`);
  print(`Restore it with: bin/neutrino restore${place} ${file}`);
}

const alreadyThere = (file: string) => new CliFailure(`${file} exists already; choose another file`);
