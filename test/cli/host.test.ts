import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { beginRename, formerHost, hostOfStatePath, keepHost } from '../../src/cli/state/host.ts';

let statePath: string;
beforeEach(() => {
  statePath = mkdtempSync(join(tmpdir(), 'neutrino-host-'));
});
afterEach(() => rmSync(statePath, { recursive: true }));

const start = (host: string, rename = false, unrecorded?: string) =>
  formerHost(statePath, host, rename, (former) => `rename ${former}`, unrecorded);

test('a state path belongs to its first host, and to another one only on request', () => {
  expect(hostOfStatePath(statePath)).toBeUndefined();
  expect(start('a')).toBeUndefined();
  keepHost(statePath, 'a');
  expect(start('a')).toBeUndefined();
  expect(() => start('b')).toThrow(/belongs to host a, and this start is for host b .*, or rename a$/);
  expect(hostOfStatePath(statePath)).toBe('a');
});

test('a state path that has recorded no host belongs to that of its agents', () => {
  expect(start('a', false, 'a')).toBeUndefined();
  expect(() => start('b', false, 'a')).toThrow('belongs to host a, and this start is for host b');
  expect(start('b', true, 'a')).toBe('a');
  keepHost(statePath, 'b');
  expect(start('b', false, 'a')).toBeUndefined();
});

test('a killed renaming is completed only by a start with the new name', () => {
  keepHost(statePath, 'a');
  expect(start('b', true)).toBe('a');
  expect(() => start('b')).toThrow('belongs to host a');
  beginRename(statePath, 'a', 'b');
  expect(start('b')).toBe('a');
  for (const host of ['a', 'c']) {
    expect(() => start(host, true)).toThrow(`is being renamed to b, and this start is for host ${host}`);
  }
  keepHost(statePath, 'b');
  expect(start('b')).toBeUndefined();
  expect(start('a', true)).toBe('b');
});
