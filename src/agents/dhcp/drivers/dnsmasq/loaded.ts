import { statSync } from 'node:fs';
import { isMissing, readText, replaceText, rewriteEnd } from '../../text-file.ts';
import type { Files } from './command-line.ts';
import type { ServerProcess } from './server-process.ts';

/**
 * Returns what identifies the present versions of files, whose texts need not be read for it: a file that is replaced has another
 * inode, one that is edited another time. A copied folder differs, which costs one reload.
 */
export function stampsOf(paths: readonly string[]): string {
  return JSON.stringify(paths.map(stampOf));
}

function stampOf(path: string): string {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${ino}:${mtimeNs}:${size}`;
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

/** Returns the versions of the files that dnsmasq rereads on SIGHUP. */
export const readableStamps = ({ host, addnHosts, opts }: Files): string => stampsOf([host, addnHosts, opts]);

/**
 * The file `loaded` records which versions of its files the running dnsmasq has read. It is written only after dnsmasq has read
 * them: if the files are no longer those (because the agent was killed in between), dnsmasq still needs a SIGHUP.
 */
export function hasLoaded(path: string, { pid, startTime }: ServerProcess, stamps: string): boolean {
  return readText(path) === recordOf(pid, startTime, stamps);
}

export function recordLoaded(path: string, { pid, startTime }: ServerProcess, stamps: string): void {
  const record = recordOf(pid, startTime, stamps);
  // Half a record matches nothing.
  if (stampOf(path) === '') replaceText(path, record);
  else rewriteEnd(path, 0, record);
}

function recordOf(pid: number, startTime: number, stamps: string): string {
  return `${JSON.stringify({ pid, startTime, files: stamps })}\n`;
}
