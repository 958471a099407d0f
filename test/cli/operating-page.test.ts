import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { parseMysqlUrl } from '../../src/db/mysql/url.ts';
import { parseTransportUrl } from '../../src/rpc/rabbit/transport-url.ts';

const page = readFileSync('docs/operating.md', 'utf8');
const blocks = [...page.matchAll(/^```ini\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-operating-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('servers and agents accept the files of docs/operating.md without warnings', () => {
  expect(blocks).toHaveLength(8);
  for (const [i, text] of blocks.entries()) {
    const file = join(folder, `${i}.conf`);
    writeFileSync(file, text);
    for (const reader of ['server', 'agent'] as const) {
      const { config, warnings } = loadConfig({ files: [file], reader });
      expect(warnings).toEqual([]);
      if (config.DEFAULT.transport_url !== '')
        expect(parseTransportUrl(config.DEFAULT.transport_url).hosts).toHaveLength(2);
      if (config.database.connection !== '')
        expect(parseMysqlUrl(config.database.connection).database).toBe('neutrino');
    }
  }
});
