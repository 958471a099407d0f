import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailed } from '../../linux/run.ts';
import { findBusybox } from '../busybox.ts';
import { packageDependencies, type Say, unpackPackages, withUpdatedLists } from '../debian.ts';
import { LabFailure } from '../failure.ts';
import { collectModules, type KernelModule } from './modules.ts';
import { isStaticProgram } from './static-program.ts';

/** What a machine boots: a kernel and the contents of its initramfs. */
export interface BootParts {
  /** Release of the kernel, such as 6.1.0-56-cloud-amd64. */
  readonly release: string;
  readonly kernelPath: string;
  readonly busyboxPath: string;
  /** In load order. */
  readonly modules: readonly KernelModule[];
}

/** Packages that depend on the newest kernel for virtual machines: Debian's small one, Debian's general one, Ubuntu's. */
const KERNEL_PACKAGES = ['linux-image-cloud-amd64', 'linux-image-amd64', 'linux-image-virtual'];
const MODULES = ['virtio_pci', 'virtio_net'];

/** Returns the packages with the kernel and its modules (two on Ubuntu). Throws CommandFailed if there are none. */
async function kernelPackages(): Promise<readonly string[]> {
  let unknown: unknown;
  for (const name of KERNEL_PACKAGES) {
    try {
      const image = (await packageDependencies(name)).find((one) => /^linux-image-\d/.test(one));
      if (image === undefined) continue;
      const modules = (await packageDependencies(image)).filter((one) => /^linux-modules-\d/.test(one));
      return [image, ...modules];
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      unknown = error;
    }
  }
  throw unknown ?? new LabFailure(`none of the packages ${KERNEL_PACKAGES.join(', ')} depends on a kernel`);
}

/** Returns the contents of the cache; undefined if nothing has been fetched yet. */
export function cachedBootParts(cacheFolder: string): Promise<BootParts | undefined> {
  return readParts(join(cacheFolder, 'kernel'));
}

async function readParts(folder: string): Promise<BootParts | undefined> {
  try {
    const release = (await readFile(join(folder, 'release'), 'utf8')).trim();
    const names = (await readdir(join(folder, 'modules'))).sort();
    const modules = await Promise.all(
      names.map(async (file) => ({
        name: file.replace(/^\d+-/, '').replace(/\.ko$/, ''),
        data: await readFile(join(folder, 'modules', file)),
      })),
    );
    return { release, kernelPath: join(folder, 'vmlinuz'), busyboxPath: join(folder, 'busybox'), modules };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function fetchParts(folder: string, say: Say): Promise<void> {
  const unpacked = join(folder, 'unpacked');
  await withUpdatedLists(say, async () => {
    const packages = await kernelPackages();
    say(`fetching a kernel for virtual machines (Debian package ${packages.join(', ')}; not installed on this host)`);
    await unpackPackages(packages, unpacked);
  });
  const image = (await readdir(join(unpacked, 'boot'))).find((file) => file.startsWith('vmlinuz-'));
  if (image === undefined) throw new LabFailure('the kernel package does not contain boot/vmlinuz');
  const release = image.slice('vmlinuz-'.length);
  // Later releases may have moved lib to usr/lib.
  const modulesFolder = await firstWith([
    join(unpacked, 'lib/modules', release),
    join(unpacked, 'usr/lib/modules', release),
  ]);
  const modules = await collectModules(modulesFolder, MODULES);
  await mkdir(join(folder, 'modules'));
  for (const [i, { name, data }] of modules.entries()) {
    await writeFile(join(folder, 'modules', `${String(i).padStart(2, '0')}-${name}.ko`), data);
  }
  await copyFile(join(unpacked, 'boot', image), join(folder, 'vmlinuz'));
  await copyFile(await staticBusybox(folder, say), join(folder, 'busybox'));
  await writeFile(join(folder, 'release'), `${release}\n`);
  await rm(unpacked, { recursive: true });
  await rm(join(folder, 'busybox-package'), { recursive: true, force: true });
}

async function firstWith(folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    if (
      await readdir(folder).then(
        () => true,
        () => false,
      )
    )
      return folder;
  }
  throw new LabFailure(`the kernel package does not contain modules (${folders.join(', ')})`);
}

/** Returns the path of a static busybox: this host's, or one unpacked from the package, which is not installed. */
async function staticBusybox(folder: string, say: Say): Promise<string> {
  const own = await findBusybox().catch(() => undefined);
  if (own !== undefined && isStaticProgram(await readFile(own))) return own;
  say('fetching a static busybox (Debian package busybox-static; not installed on this host)');
  const unpacked = join(folder, 'busybox-package');
  await withUpdatedLists(say, () => unpackPackages(['busybox-static'], unpacked));
  const places = [join(unpacked, 'bin/busybox'), join(unpacked, 'usr/bin/busybox')];
  for (const place of places) {
    if (await readFile(place).then(isStaticProgram, () => false)) return place;
  }
  throw new LabFailure('the package busybox-static does not contain a static busybox');
}

/**
 * Returns the kernel and busybox that machines boot, from the cache, after fetching them from Debian's (or Ubuntu's) packages if
 * necessary. The cache is created in a temporary folder and moved into place, so that it is never incomplete.
 */
export async function bootParts(cacheFolder: string, say: Say): Promise<BootParts> {
  if (process.arch !== 'x64') throw new LabFailure(`virtual machines need an amd64 host; this one is ${process.arch}`);
  const folder = join(cacheFolder, 'kernel');
  const cached = await cachedBootParts(cacheFolder);
  if (cached) return cached;
  const fresh = join(cacheFolder, `.kernel-${randomUUID()}`);
  await mkdir(fresh, { recursive: true });
  try {
    await fetchParts(fresh, say);
    // Another boot was faster: its cache is equivalent.
    await rename(fresh, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  const parts = await readParts(folder);
  if (!parts) throw new LabFailure(`the kernel cache ${folder} is incomplete; remove it and try again`);
  return parts;
}
