import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { run } from '../../linux/run.ts';
import { findBusybox } from '../busybox.ts';
import { LabFailure } from '../failure.ts';

/** An uncompressed kernel module. */
export interface KernelModule {
  readonly name: string;
  readonly data: Uint8Array;
}

/** Normalizes a module name, in which hyphen and underscore are equivalent (modprobe(8)). */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.(xz|zst|gz))?$/, '')
    .replaceAll('-', '_');
}

/** Returns the names of the modules that a module needs, from `depends=` in its .modinfo section. */
export function moduleDependencies(module: Uint8Array): readonly string[] {
  const depends = /\0depends=([^\0]*)\0/.exec(Buffer.from(module).toString('latin1'))?.[1] ?? '';
  return depends
    .split(',')
    .filter(Boolean)
    .map((name) => name.replaceAll('-', '_'));
}

async function unpackModule(path: string): Promise<Uint8Array> {
  if (path.endsWith('.xz')) {
    // As base64, because the output of a command is read as text.
    const { stdout } = await run(['sh', '-c', '"$1" xzcat "$2" | base64 -w 0', 'sh', await findBusybox(), path]);
    return Buffer.from(stdout, 'base64');
  }
  const data = await readFile(path);
  if (path.endsWith('.zst')) return zstdDecompressSync(data);
  if (path.endsWith('.gz')) return gunzipSync(data);
  return data;
}

/**
 * Returns the named modules and their dependencies in load order. The folder is a kernel's (`lib/modules/<version>`); modules
 * built into the kernel are omitted. Throws if one is neither there nor built in.
 */
export async function collectModules(folder: string, wanted: readonly string[]): Promise<readonly KernelModule[]> {
  const files = await readdir(folder, { recursive: true });
  const paths = new Map(
    files.filter((file) => /\.ko(\.(xz|zst|gz))?$/.test(file)).map((file) => [moduleName(file), join(folder, file)]),
  );
  const builtinList = await readFile(join(folder, 'modules.builtin'), 'utf8').catch(() => '');
  const builtin = new Set(builtinList.split('\n').filter(Boolean).map(moduleName));
  const found = new Map<string, KernelModule>();
  const add = async (name: string, neededBy: string): Promise<void> => {
    if (found.has(name) || builtin.has(name)) return;
    const path = paths.get(name);
    if (path === undefined) throw new LabFailure(`kernel module ${name}${neededBy} is not in ${folder}`);
    const data = await unpackModule(path);
    for (const dependency of moduleDependencies(data)) await add(dependency, ` (needed by ${name})`);
    found.set(name, { name, data });
  };
  for (const name of wanted) await add(name, '');
  return [...found.values()];
}
