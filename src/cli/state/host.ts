import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliFailure } from '../process/failure.ts';

/** Name of the file that holds the host name under which the agents of a state path report. */
export const HOST_FILE = 'host';

/** Returns the host name of a state path; undefined before its first agent has run. */
export function hostOfStatePath(statePath: string): string | undefined {
  try {
    return readFileSync(join(statePath, HOST_FILE), 'utf8').trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Stores the host name of a state path. */
export function keepHost(statePath: string, host: string): void {
  if (hostOfStatePath(statePath) === host) return;
  const file = join(statePath, HOST_FILE);
  writeFileSync(`${file}.new`, `${host}\n`);
  renameSync(`${file}.new`, file);
}

/**
 * Returns the former host name when the agents of a state path are to be renamed, undefined when the name is the one they have.
 * Throws CliFailure, naming both and ending with how to rename, when it is another one and `rename` is not wanted.
 */
export function formerHost(
  statePath: string,
  host: string,
  rename: boolean,
  how: (former: string) => string,
): string | undefined {
  const former = hostOfStatePath(statePath);
  if (former === undefined || former === host) return undefined;
  if (rename) return former;
  throw new CliFailure(
    `state path ${statePath} belongs to host ${former}, and this start is for host ${host} (--host, default: the machine's ` +
      `host name): start it with --host ${former}, or ${how(former)}`,
  );
}
