import { rmSync } from 'node:fs';

/** Removes a test's folder with all logs and files, unless NEUTRINO_FAULT_KEEP wants to look at it afterwards. */
export async function removeUnlessKept(folder: string): Promise<void> {
  if (process.env.NEUTRINO_FAULT_KEEP) console.log(`kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
