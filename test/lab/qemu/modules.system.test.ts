import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectModules, moduleDependencies } from '../../../src/lab/qemu/modules.ts';

let folder: string;
const moduleNeeding = (...names: string[]) => Buffer.from(`\x7fELF\0license=GPL\0depends=${names.join(',')}\0name=x\0`);

/** A module without dependencies, compressed with xz. */
const XZ_MODULE =
  '/Td6WFoAAAFpIt42AgAhARYAAAB0L+WjAQAgf0VMRgBsaWNlbnNlPUdQTABkZXBlbmRzPQBuYW1lPXgAAAAAAELvpnwAATUhw2fezpBCmQ0BAAAAAAFZWg==';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neutrino-modules-'));
  await mkdir(join(folder, 'kernel/net'), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

test('dependencies of a module are read from its modinfo', () => {
  expect(moduleDependencies(moduleNeeding('virtio-ring', 'virtio'))).toEqual(['virtio_ring', 'virtio']);
  expect(moduleDependencies(moduleNeeding())).toEqual([]);
});

test('collects modules and their dependencies in load order, whatever their compression', async () => {
  await writeFile(join(folder, 'kernel/a-top.ko'), moduleNeeding('b_middle', 'c_built_in'));
  await writeFile(join(folder, 'kernel/b_middle.ko.zst'), zstdCompressSync(moduleNeeding('d_base')));
  await writeFile(join(folder, 'kernel/net/d_base.ko.gz'), gzipSync(moduleNeeding('e_ground')));
  await writeFile(join(folder, 'kernel/net/e_ground.ko.xz'), Buffer.from(XZ_MODULE, 'base64'));
  await writeFile(join(folder, 'modules.builtin'), 'kernel/c-built-in.ko\n');

  const modules = await collectModules(folder, ['a_top', 'd_base']);
  expect(modules.map(({ name }) => name)).toEqual(['e_ground', 'd_base', 'b_middle', 'a_top']);
  expect(modules.map(({ data }) => Buffer.from(data).subarray(0, 4).toString('latin1'))).toEqual(
    Array(4).fill('\x7fELF'),
  );
});

test('names a missing module and the one that needs it', async () => {
  await writeFile(join(folder, 'kernel/a_top.ko'), moduleNeeding('gone'));
  await expect(collectModules(folder, ['a_top'])).rejects.toThrow('kernel module gone (needed by a_top) is not in');
});
