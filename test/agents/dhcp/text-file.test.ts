import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readText, replaceText, rewriteEnd } from '../../../src/agents/dhcp/text-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-text-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('versions of a file differ by their time, however soon one follows the other', () => {
  const path = join(folder, 'host');
  const times = new Set<bigint>();
  for (let n = 0; n < 50; n++) {
    if (n % 2 === 0) replaceText(path, `line ${n % 10}\n`);
    else rewriteEnd(path, 5, `${n % 10}\n`);
    expect(readText(path)).toBe(`line ${n % 10}\n`);
    times.add(statSync(path, { bigint: true }).mtimeNs);
  }
  expect(times.size).toBe(50);
});
