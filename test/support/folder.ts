import { rmSync } from 'node:fs';

/** Removes a test's folder with all logs and files, unless NEUTRINO_TEST_KEEP=1 is set. */
export function removeUnlessKept(folder: string): void {
  if (process.env.NEUTRINO_TEST_KEEP) console.log(`kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
