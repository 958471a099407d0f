import { readdir, stat, statfs } from 'node:fs/promises';
import { WaitTimeout, waitFor } from '../time/wait.ts';
import { checkNamespaceName, ipBatch, isAlreadyThere, isNotFound, NETNS_FOLDER, namespacePath } from './ip.ts';
import type { ProcessInfo } from './processes.ts';

/** Type of the file system that a mounted namespace is a file of (statfs(2): NSFS_MAGIC). */
const NSFS = 0x6e736673;

export { namespacePath } from './ip.ts';

/** Returns the names of the named network namespaces. Starts no process. */
export async function listNamespaces(): Promise<readonly string[]> {
  try {
    return await readdir(NETNS_FOLDER);
  } catch (error) {
    if (isMissingFile(error)) return [];
    throw error;
  }
}

/**
 * Whether the namespace exists and can be entered. Starts no process. A file without a namespace mounted on it (left when
 * `ip netns add` was killed halfway, or after a reboot with a persistent /run) counts as not there.
 */
export async function namespaceExists(name: string): Promise<boolean> {
  try {
    return (await statfs(namespacePath(name))).type === NSFS;
  } catch (error) {
    if (isMissingFile(error)) return false;
    throw error;
  }
}

/** Returns whether the process is in the namespace that currently has this name; a recreated namespace is a different one. */
export async function isInNamespace({ pid }: Pick<ProcessInfo, 'pid'>, namespace: string): Promise<boolean> {
  try {
    const [its, wanted] = await Promise.all([stat(`/proc/${pid}/ns/net`), stat(namespacePath(namespace))]);
    return its.ino === wanted.ino && its.dev === wanted.dev;
  } catch {
    return false;
  }
}

/** Creates the namespace unless it exists; its `lo` is up afterwards. Returns whether it was created now. */
export async function ensureNamespace(name: string): Promise<boolean> {
  if (await namespaceExists(name)) return false;
  if ((await listNamespaces()).includes(name)) {
    if (await isMountedSoon(name)) return false;
    await deleteNamespace(name);
  }
  try {
    await ipBatch([['netns', 'add', name]]);
  } catch (error) {
    // Another process was faster.
    if (isAlreadyThere(error) && (await isMountedSoon(name))) return false;
    throw error;
  }
  await ipBatch([['link', 'set', 'lo', 'up']], { namespace: name });
  return true;
}

/** `ip netns add` creates the file first and mounts the namespace on it then: another process may be between the two. */
const MOUNT_MS = 300;

async function isMountedSoon(name: string): Promise<boolean> {
  try {
    return await waitFor(`namespace ${name} to be mounted`, () => namespaceExists(name), MOUNT_MS);
  } catch (error) {
    if (error instanceof WaitTimeout) return false;
    throw error;
  }
}

/**
 * Deletes the namespace's name; the kernel removes the namespace when no process is left in it. An absent one is not an error.
 */
export async function deleteNamespace(name: string): Promise<void> {
  try {
    await ipBatch([['netns', 'delete', checkNamespaceName(name)]]);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
