import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../../src/cli/compose/server.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createMemoryTransport } from '../../src/rpc/memory/transport.ts';
import { conformancePage, DIFFERENCES, GROUPS } from './conformance-page.ts';
import { type Outcome, replay } from './replay.ts';

const state = mkdtempSync(join(tmpdir(), 'neutrino-conformance-'));
const page = new URL('../../docs/conformance.md', import.meta.url);
let server: RunningServer;
let outcomes: readonly Outcome[];

beforeAll(async () => {
  const log = pino({ level: 'silent' });
  const { config } = loadConfig({
    files: [fileURLToPath(new URL('../fixtures/rest/neutron.conf', import.meta.url))],
    flags: { '--state-path': state, '--bind-port': '0' },
  });
  server = await startServer({ config, log, transport: createMemoryTransport({ log }), embedded: true });
  outcomes = await replay(server.url, GROUPS);
});

afterAll(async () => {
  await server?.close();
  rmSync(state, { recursive: true, force: true });
});

describe('captured responses of Neutron', () => {
  test.each(GROUPS)('%s: every case agrees, except for documented differences', (group) => {
    const listed = new Set(DIFFERENCES.map((d) => d.case));
    const differing = outcomes.filter((o) => o.name.startsWith(`${group}/`) && o.differences.length > 0);
    expect(differing.filter((o) => !listed.has(o.name))).toEqual([]);
    const seen = new Set(differing.map((o) => o.name));
    expect([...listed].filter((name) => name.startsWith(`${group}/`) && !seen.has(name))).toEqual([]);
  });

  test('docs/conformance.md states how many agree, and why each of the others differs', () => {
    const text = conformancePage(outcomes);
    if (process.env.UPDATE_DOCS === '1') writeFileSync(page, text);
    expect(readFileSync(page, 'utf8')).toBe(text);
  });
});
