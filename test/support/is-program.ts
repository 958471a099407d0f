import { accessSync, constants } from 'node:fs';

/** Returns whether a path is a program that can be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
