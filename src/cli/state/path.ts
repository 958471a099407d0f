import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { CliFailure } from '../process/failure.ts';

/** Makes the state path if it is missing. Throws CliFailure when it cannot be made or written to. */
export function prepareStatePath(statePath: string): void {
  const advice = 'choose another with --state-path';
  try {
    mkdirSync(statePath, { recursive: true, mode: 0o755 });
    if (!statSync(statePath).isDirectory()) throw new CliFailure(`state path ${statePath} is not a folder; ${advice}`);
    accessSync(statePath, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new CliFailure(`state path ${statePath}: a part of it is a file, not a folder; ${advice}`);
    }
    const why =
      code === 'EACCES' || code === 'EPERM' ? 'not yours to write to' : code === 'EROFS' ? 'read-only' : String(error);
    throw new CliFailure(`state path ${statePath}: ${why}; ${advice}, or run as root`);
  }
}
