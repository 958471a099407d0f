import { access, constants, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailed, run } from '../linux/run.ts';
import { LabFailure } from './failure.ts';

/** Says to whoever watches what takes its time. */
export type Say = (line: string) => void;

const APT = ['env', 'LC_ALL=C', 'DEBIAN_FRONTEND=noninteractive'] as const;
/** Another apt may be at work: wait for it, but not for ever. */
const PATIENT = ['-o', 'DPkg::Lock::Timeout=120'] as const;

/** Path of a program, or undefined when it is in none of the folders of PATH or the system's. */
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
 * Does it; when a command of it fails, fetches the lists of packages (a fresh machine has none, old ones name what is gone)
 * and does it once more.
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
 * Path of a program; installs the package that brings it when it is missing and this process is root, and says so.
 * Throws an error that names program and package when it cannot.
 */
export async function ensureProgram(program: string, packageName: string, say: Say): Promise<string> {
  const found = await findProgram(program);
  if (found !== undefined) return found;
  const missing = `${program} is not installed (Debian package ${packageName})`;
  if (process.getuid?.() !== 0) throw new LabFailure(`${missing}; only root can install it`);
  if ((await findProgram('apt-get')) === undefined)
    throw new LabFailure(`${missing}, and there is no apt-get to install it`);
  say(`installing the Debian package ${packageName}, which brings ${program}`);
  await withUpdatedLists(say, () =>
    run([...APT, 'apt-get', ...PATIENT, 'install', '-y', '-q', '--no-install-recommends', packageName], {
      timeoutMs: 600_000,
    }),
  );
  const installed = await findProgram(program);
  if (installed === undefined) throw new LabFailure(`${missing}, even after installing ${packageName}`);
  return installed;
}

/** Packages that one depends on, `Depends` only. Throws CommandFailed when this machine's package lists do not know it. */
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
