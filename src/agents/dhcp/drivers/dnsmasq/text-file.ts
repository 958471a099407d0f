import { chmod, readFile, rename, writeFile } from 'node:fs/promises';

/** Whether a call of node:fs failed because there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** The text of a file, or undefined when there is none. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Replaces a file at one blow: whoever reads it, and whatever kills us, meets the old text or the new one. Readable by
 * everybody, whatever our umask says, for dnsmasq drops its privileges before it reads.
 */
export async function replaceText(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  await writeFile(fresh, text);
  await chmod(fresh, 0o644);
  await rename(fresh, path);
}
