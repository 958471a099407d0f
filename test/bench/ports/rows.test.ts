import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertPorts, namesOf, PRAGMAS } from '../../../bench/ports/bare-rows.ts';
import { type FirstPort, makeFirstPort } from '../../../bench/ports/first-port.ts';
import { openSqlite } from '../../../src/db/sqlite/open.ts';
import { parseIp } from '../../../src/net/addresses.ts';

let folder: string;
let path: string;
let first: FirstPort;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-bench-rows-'));
  path = join(folder, 'neutrino.sqlite');
  first = await makeFirstPort(path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rowsOf = (file: DatabaseSync, table: string, column: string, value: string | number | bigint) =>
  file.prepare(`select * from "${table}" where "${column}" = ?`).all(value);

test('the bare driver inserts the same number of rows per port into the same tables as the rules', () => {
  const { names, pool, patterns } = first;
  const file = new DatabaseSync(path);
  const count = (table: string) => Number(file.prepare(`select count(*) as n from "${table}"`).get()?.n);
  const before = patterns.map((p) => count(p.table));
  const place = { network: names.network, subnet: names.subnet, group: names.group, pool };
  insertPorts(file, { path, patterns, ...place, from: 0, count: 10, perTransaction: 3 });
  expect(patterns.map((p) => count(p.table))).toEqual(before.map((n) => n + 10));
  expect(patterns.map((p) => p.table)).toEqual(expect.arrayContaining(['ports', 'ipallocations', 'ml2_port_bindings']));

  const [port] = rowsOf(file, 'ports', 'mac_address', namesOf(place, 7).mac);
  const [own] = rowsOf(file, 'ports', 'id', names.port);
  expect(port).toMatchObject({ network_id: names.network, device_id: own?.device_id, status: own?.status });
  expect(port?.standard_attr_id).not.toBe(own?.standard_attr_id);
  expect(rowsOf(file, 'ipallocations', 'port_id', String(port?.id))).toEqual([
    expect.objectContaining({ subnet_id: names.subnet, ip_address: namesOf(place, 7).address }),
  ]);
  expect(file.prepare('pragma foreign_key_check').all()).toEqual([]);
  file.close();
});

test('addresses and MACs are unique, and all are in the pool', () => {
  const pool = { first: 0x0a000100, last: 0x0a00ffff };
  const size = pool.last - pool.first + 1;
  const names = Array.from({ length: size }, (_, i) => namesOf({ network: 'n', subnet: 's', group: 'g', pool }, i));
  expect(new Set(names.map((n) => n.mac)).size).toBe(size);
  expect(new Set(names.map((n) => n.address)).size).toBe(size);
  const values = names.map((n) => Number(parseIp(n.address)?.value));
  expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(pool.first);
  expect(Math.max(...values.slice(0, 1000))).toBeLessThanOrEqual(pool.last);
});

test('the bare driver has the same durability as Neutrino', async () => {
  const db = openSqlite({ path: join(folder, 'pragmas.sqlite') });
  const file = new DatabaseSync(join(folder, 'bare.sqlite'));
  for (const pragma of PRAGMAS) file.exec(`pragma ${pragma}`);
  for (const pragma of [
    'journal_mode',
    'synchronous',
    'foreign_keys',
    'temp_store',
    'cache_size',
    'wal_autocheckpoint',
  ]) {
    const { rows } = await sql.raw<Record<string, unknown>>(`pragma ${pragma}`).execute(db.kysely);
    expect({ ...file.prepare(`pragma ${pragma}`).get() }).toEqual({ ...rows[0] });
  }
  file.close();
  await db.close();
});
