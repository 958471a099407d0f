import { mkdtemp, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cpioArchive } from '../../../src/lab/qemu/cpio.ts';
import { run } from '../../../src/linux/run.ts';

test('archives can be unpacked by the cpio program', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'neutrino-cpio-'));
  try {
    const data = new Uint8Array([0, 255, 10, 13, 7]);
    const archive = cpioArchive([
      { kind: 'folder', path: 'bin' },
      { kind: 'file', path: 'bin/program', data: '#!/bin/sh\n', executable: true },
      { kind: 'file', path: 'bin/data', data },
      { kind: 'link', path: 'bin/sh', target: 'program' },
    ]);
    await run(['sh', '-c', 'cd "$1" && base64 -d | busybox cpio -i -d', 'sh', folder], {
      input: archive.toString('base64'),
    });
    expect(await readFile(join(folder, 'bin/program'), 'utf8')).toBe('#!/bin/sh\n');
    expect((await stat(join(folder, 'bin/program'))).mode & 0o777).toBe(0o755);
    expect(new Uint8Array(await readFile(join(folder, 'bin/data')))).toEqual(data);
    expect((await stat(join(folder, 'bin/data'))).mode & 0o777).toBe(0o644);
    expect(await readlink(join(folder, 'bin/sh'))).toBe('program');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('device numbers are preserved, and every part is aligned to four bytes', () => {
  const archive = cpioArchive([{ kind: 'device', path: 'dev/console', major: 5, minor: 1 }]).toString('latin1');
  expect(archive.length % 4).toBe(0);
  expect(archive.slice(0, 6)).toBe('070701');
  const field = (i: number) => Number.parseInt(archive.slice(6 + i * 8, 14 + i * 8), 16);
  expect(field(1)).toBe(0o020_600);
  expect([field(9), field(10)]).toEqual([5, 1]);
  expect(archive).toContain('TRAILER!!!\0');
});
