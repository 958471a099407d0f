import { access, constants, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailed, run } from '../linux/run.ts';
import { LabFailure } from './failure.ts';

/** Reports progress of slow steps to the user. */
export type Say = (line: string) => void;

const APT = ['env', 'LC_ALL=C', 'DEBIAN_FRONTEND=noninteractive'] as const;
/** Another apt may be running: wait for it, with a limit. */
const PATIENT = ['-o', 'DPkg::Lock::Timeout=120'] as const;

/** Returns the path of a program; undefined if it is neither in PATH nor in the system's folders. */
export async function findProgram(program: string): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? '').split(':').filter(Boolean), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  for (const folder of folders) {
    const path = join(folder, program);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not here; the next folder.
    }
  }
  return undefined;
}

/**
 * Runs `work`; if one of its commands fails, updates the package lists (a fresh machine has none, outdated ones name missing
 * files) and repeats it once.
 */
export async function withUpdatedLists<T>(say: Say, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    say("fetching Debian's package lists (apt-get update)");
    await run([...APT, 'apt-get', ...PATIENT, 'update', '-q'], { timeoutMs: 300_000 });
    return attempt();
  }
}

/**
 * Returns the path of a program; if it is missing and this process is root, installs its package and reports that.
 * Throws an error that names program and package if it cannot.
 */
export async function ensureProgram(program: string, packageName: string, say: Say): Promise<string> {
  const found = await findProgram(program);
  if (found !== undefined) return found;
  const missing = `${program} is not installed (Debian package ${packageName})`;
  if (process.getuid?.() !== 0) throw new LabFailure(`${missing}; only root can install it`);
  if ((await findProgram('apt-get')) === undefined)
    throw new LabFailure(`${missing}, and there is no apt-get to install it`);
  say(`installing the Debian package ${packageName}, which contains ${program}`);
  await withUpdatedLists(say, () =>
    run([...APT, 'apt-get', ...PATIENT, 'install', '-y', '-q', '--no-install-recommends', packageName], {
      timeoutMs: 600_000,
    }),
  );
  const installed = await findProgram(program);
  if (installed === undefined) throw new LabFailure(`${missing}, even after installing ${packageName}`);
  return installed;
}

/** Returns the direct dependencies (`Depends`) of a package. Throws CommandFailed if the package lists do not contain it. */
export async function packageDependencies(packageName: string): Promise<readonly string[]> {
  const { stdout } = await run([...APT, 'apt-cache', 'depends', packageName]);
  return [...stdout.matchAll(/^\s*\|?Depends: (\S+)$/gm)].map((match) => match[1] ?? '');
}

/** Downloads packages and unpacks them below `folder`, without installing anything. Throws CommandFailed. */
export async function unpackPackages(packages: readonly string[], folder: string): Promise<void> {
  const downloads = join(folder, '.downloads');
  await mkdir(downloads, { recursive: true });
  const [env, ...settings] = APT;
  await run([env, '-C', downloads, ...settings, 'apt-get', 'download', '-q', ...packages], { timeoutMs: 600_000 });
  for (const file of await readdir(downloads)) {
    await run(['dpkg-deb', '-x', join(downloads, file), folder], { timeoutMs: 300_000 });
  }
  await rm(downloads, { recursive: true });
}
