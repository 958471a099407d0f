import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CliFailure } from '../process/failure.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'its disk is read-only',
  // The error of mkdir for a folder below a read-only one.
  ENOENT: 'it cannot be created there; is the disk read-only?',
  ENOSPC: 'no space left on its disk',
};

/**
 * Creates a folder with its parents. Node's own recursive mkdir never returns below a folder in which nothing can be created and
 * which reports that as ENOENT, such as /proc.
 */
function createFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) createFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Creates the state path if it is missing. Throws CliFailure if it cannot be created or written to. */
export function prepareStatePath(statePath: string): void {
  const advice = 'choose another with --state-path';
  const isFile = `state path ${statePath}: one of its components is a file, not a folder; ${advice}`;
  try {
    createFolder(statePath);
    if (!statSync(statePath).isDirectory()) throw new CliFailure(isFile);
    accessSync(statePath, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') throw new CliFailure(isFile);
    const why = (code && REASONS[code]) ?? (error as Error).message;
    // Root would be denied as well.
    const orRoot = process.geteuid?.() === 0 ? '' : ', or run as root';
    throw new CliFailure(`state path ${statePath}: ${why}; ${advice}${orRoot}`);
  }
}
