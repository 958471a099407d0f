import {
  chmodSync,
  closeSync,
  ftruncateSync,
  futimesSync,
  openSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

// Synchronous: these files are small or in the page cache, and a call then takes a few microseconds, where one that Node hands to
// another thread costs ten times the CPU.

/** Returns whether a node:fs call failed because the file does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Returns the text of a file; undefined if it does not exist. */
export function readText(path: string): string | undefined {
  return readBytes(path)?.toString();
}

/** Returns the bytes of a file; undefined if it does not exist. */
export function readBytes(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Returns the time in seconds with microseconds. Kernels before 6.13 give all changes within some milliseconds one time, by which two
 * versions of a file could not be told apart.
 */
const preciseTime = (): number => (performance.timeOrigin + performance.now()) / 1000;

/**
 * Replaces a file atomically: readers see either the old or the new text, even if the agent is killed. World-readable regardless
 * of the umask, because dnsmasq drops its privileges before it reads.
 */
export function replaceText(path: string, text: string): void {
  const fresh = `${path}.new`;
  writeFileSync(fresh, text);
  chmodSync(fresh, 0o644);
  const now = preciseTime();
  utimesSync(fresh, now, now);
  renameSync(fresh, path);
}

/**
 * Writes the end of a file in its place, from a byte on. Not atomic, so only for files that are checked and written again after a
 * kill. A tenth of the cost of `replaceText` or less: ext4 begins to write a replaced file to the disk at once.
 */
export function rewriteEnd(path: string, from: number, text: string): void {
  const bytes = Buffer.from(text);
  const file = openSync(path, 'r+');
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, from + at);
    ftruncateSync(file, from + bytes.length);
    const now = preciseTime();
    futimesSync(file, now, now);
  } finally {
    closeSync(file);
  }
}
