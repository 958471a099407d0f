import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { prepareStatePath } from '../../src/cli/state/path.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-state-path-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the state path', () => {
  test('is created with its parents, unless it exists', () => {
    const path = join(folder, 'a', 'b', 'c');
    for (let i = 0; i < 2; i++) prepareStatePath(path);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test('is rejected at once below a folder in which nothing can be created', () => {
    expect(() => prepareStatePath('/proc/neutrino/state')).toThrow(
      'state path /proc/neutrino/state: it cannot be created',
    );
    expect(existsSync('/proc/neutrino')).toBe(false);
  });
});
