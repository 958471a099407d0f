import { rmSync } from 'node:fs';

/** Removes a test's folder with all logs and files; NEUTRINO_TEST_KEEP=1 keeps it, to look at it afterwards. */
export function removeUnlessKept(folder: string): void {
  if (process.env.NEUTRINO_TEST_KEEP) console.log(`kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
