import { createHash } from 'node:crypto';
import { readText, replaceText } from '../../text-file.ts';
import type { ServerProcess } from './server-process.ts';

/** Digest of the files that dnsmasq rereads on SIGHUP. */
export function fingerprint(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text);
  return hash.digest('hex');
}

/**
 * The file `loaded` records which texts the running dnsmasq has read. It is written only after dnsmasq has read them: if the
 * files differ from it (because the agent was killed in between), dnsmasq still needs a SIGHUP.
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
