import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliFailure } from '../process/failure.ts';

/** Name of the file with the host name of a state path's agents; while they are being renamed, the new name is on a second line. */
export const HOST_FILE = 'host';

function readHosts(statePath: string): readonly string[] {
  try {
    return readFileSync(join(statePath, HOST_FILE), 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function writeHosts(statePath: string, hosts: readonly string[]): void {
  const text = `${hosts.join('\n')}\n`;
  if (`${readHosts(statePath).join('\n')}\n` === text) return;
  const file = join(statePath, HOST_FILE);
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Returns the host name of a state path; undefined before its first agent has run. */
export const hostOfStatePath = (statePath: string): string | undefined => readHosts(statePath)[0];

/** Stores the host name of a state path, which completes a renaming. */
export const keepHost = (statePath: string, host: string): void => writeHosts(statePath, [host]);

/** Records that a renaming has begun, so that the next start completes it after a kill -9. `keepHost` completes it. */
export const beginRename = (statePath: string, former: string, host: string): void =>
  writeHosts(statePath, [former, host]);

/**
 * Returns the former host name if the agents of a state path must be renamed, undefined if they have the name already. `unrecorded`
 * is the name for a state path that has not recorded one. Throws CliFailure, which names both hosts and ends with how to rename, if
 * the names differ without `rename`.
 */
export function formerHost(
  statePath: string,
  host: string,
  rename: boolean,
  how: (former: string) => string,
  unrecorded?: string,
): string | undefined {
  const [former = unrecorded, begun] = readHosts(statePath);
  if (begun !== undefined && begun !== host) {
    throw new CliFailure(
      `host ${former} of state path ${statePath} is being renamed to ${begun}, and this start is for host ${host}: complete it ` +
        `with --host ${begun}`,
    );
  }
  if (former === undefined || former === host) return undefined;
  if (rename || begun === host) return former;
  throw new CliFailure(
    `state path ${statePath} belongs to host ${former}, and this start is for host ${host} (--host, default: the machine's ` +
      `host name): start it with --host ${former}, or ${how(former)}`,
  );
}
