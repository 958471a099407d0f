import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database, Trx } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { openSqlite } from '../../../src/db/sqlite/open.ts';

let folder: string;
let db: Database;
/** Another process's view: it sees only what is committed. */
let other: DatabaseSync;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-commits-'));
  const path = join(folder, 'neutrino.sqlite');
  db = openSqlite({ path, syncToDisk: false });
  await migrate(db);
  other = new DatabaseSync(path);
});
afterEach(async () => {
  other.close();
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

const write = async (trx: Trx, name: string): Promise<string> => {
  await trx.insertInto('ml2_flat_allocations').values({ physical_network: name }).execute();
  return name;
};
const committed = (): readonly string[] =>
  other
    .prepare('select physical_network as name from ml2_flat_allocations order by name')
    .all()
    .map((row) => String(row.name));

test('transactions of one turn are committed together, and resolve only afterwards', async () => {
  const seenFromOutside: (readonly string[])[] = [];
  const seenAtEnd: (readonly string[])[] = [];
  await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      await db.transaction(async (trx) => {
        await write(trx, name);
        seenFromOutside.push(committed());
      });
      seenAtEnd.push(committed());
    }),
  );
  expect(seenFromOutside).toEqual([[], [], []]);
  expect(seenAtEnd).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
});

test('each gets its own result, in request order', async () => {
  const order: string[] = [];
  const names = Array.from({ length: 100 }, (_, i) => `n${String(i).padStart(3, '0')}`);
  const results = await Promise.all(
    names.map((name) =>
      db.transaction(async (trx) => {
        order.push(name);
        return write(trx, name);
      }),
    ),
  );
  expect(results).toEqual(names);
  expect(order).toEqual(names);
  expect(committed()).toEqual(names);
});

test('a failing one rolls back only its own writes', async () => {
  const results = await Promise.allSettled([
    db.transaction((trx) => write(trx, 'a')),
    db.transaction(async (trx) => {
      await write(trx, 'b');
      throw new Error('no');
    }),
    // Fails in the database itself: the name is there already.
    db.transaction(async (trx) => {
      await write(trx, 'c');
      await write(trx, 'a');
    }),
    db.transaction((trx) => write(trx, 'd')),
  ]);
  expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(committed()).toEqual(['a', 'd']);
});

test('an error that rolls back the whole transaction fails only its cause', async () => {
  // As SQLite does by itself when the disk is full.
  const undoAll = (trx: Trx) => sql`rollback`.execute(trx);
  const results = await Promise.allSettled([
    db.transaction((trx) => write(trx, 'a')),
    db.transaction(async (trx) => {
      await write(trx, 'b');
      await undoAll(trx);
      throw new Error('disk full');
    }),
    db.transaction((trx) => write(trx, 'c')),
  ]);
  expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(committed()).toEqual(['a', 'c']);
});

test('a concurrent reader sees nothing of a group before its commit', async () => {
  const read = async () => (await db.kysely.selectFrom('ml2_flat_allocations').selectAll().execute()).length;
  const counts = await Promise.all([
    db.transaction((trx) => write(trx, 'a')).then(() => 'written'),
    read(),
    db
      .transaction(async (trx) => {
        await write(trx, 'b');
        throw new Error('no');
      })
      .catch(() => 'undone'),
  ]);
  expect(counts[0]).toBe('written');
  expect([0, 1]).toContain(counts[1]);
  expect(await read()).toBe(1);
});

test('a lock of another process makes the group wait, not fail', async () => {
  other.exec('begin immediate');
  const both = Promise.all(['a', 'b'].map((name) => db.transaction((trx) => write(trx, name))));
  setTimeout(() => other.exec('commit'), 300);
  expect(await both).toEqual(['a', 'b']);
  expect(committed()).toEqual(['a', 'b']);
});

test('requests during a group form the next group', async () => {
  const later: Promise<string>[] = [];
  await Promise.all([
    db.transaction((trx) => write(trx, 'a')),
    db.transaction(async (trx) => {
      await write(trx, 'b');
      later.push(
        db.transaction((t) => write(t, 'c')),
        db.transaction((t) => write(t, 'd')),
      );
    }),
  ]);
  expect(committed()).toEqual(['a', 'b']);
  expect(await Promise.all(later)).toEqual(['c', 'd']);
  expect(committed()).toEqual(['a', 'b', 'c', 'd']);
});
