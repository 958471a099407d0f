import { createHash } from 'node:crypto';
import type { ServerProcess } from './server-process.ts';
import { readText, replaceText } from './text-file.ts';

/** Stands for the texts of the files that dnsmasq reads again at SIGHUP. */
export function fingerprint(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text);
  return hash.digest('hex');
}

/**
 * The file `loaded` says which texts the running dnsmasq has read: written only after it has read them, so that whoever
 * finds other texts in the files (because we were killed in between) knows that a SIGHUP is owed.
 */
export async function hasLoaded(path: string, { pid, startTime }: ServerProcess, print: string): Promise<boolean> {
  return (await readText(path)) === recordOf(pid, startTime, print);
}

export async function recordLoaded(path: string, { pid, startTime }: ServerProcess, print: string): Promise<void> {
  await replaceText(path, recordOf(pid, startTime, print));
}

function recordOf(pid: number, startTime: number, print: string): string {
  return `${JSON.stringify({ pid, startTime, sha256: print })}\n`;
}
