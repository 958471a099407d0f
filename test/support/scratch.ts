import { accessSync, constants, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const ENOUGH_BYTES = 1024 * 1024 * 1024;

/**
 * Creates a temporary folder and returns its path: in memory where the machine has room there, because databases wait for the
 * disk when they are created, which hundreds of tests do (MariaDB has a file for each table). Tests of what a disk does use `tmpdir()`.
 */
export const scratchFolder = (prefix: string): string => mkdtempSync(join(inMemory() ? MEMORY : tmpdir(), prefix));

function inMemory(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}
