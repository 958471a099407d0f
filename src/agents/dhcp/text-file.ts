import { chmod, readFile, rename, writeFile } from 'node:fs/promises';

/** Returns whether a node:fs call failed because the file does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Returns the text of a file; undefined if it does not exist. */
export async function readText(path: string): Promise<string | undefined> {
  return (await readBytes(path))?.toString();
}

/** Returns the bytes of a file; undefined if it does not exist. */
export async function readBytes(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Replaces a file atomically: readers see either the old or the new text, even if the agent is killed. World-readable regardless
 * of the umask, because dnsmasq drops its privileges before it reads.
 */
export async function replaceText(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  await writeFile(fresh, text);
  await chmod(fresh, 0o644);
  await rename(fresh, path);
}
