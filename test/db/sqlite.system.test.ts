import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorAnswer } from '../../src/api/error-bodies.ts';
import type { Database, Trx } from '../../src/db/database.ts';
import { DatabaseUnavailable } from '../../src/db/errors.ts';
import { migrate, pendingMigrations } from '../../src/db/migrate.ts';
import { MIGRATIONS } from '../../src/db/migrations/index.ts';
import { openSqlite } from '../../src/db/sqlite/open.ts';

let folder: string;
let path: string;
let opened: Database[];

const open = (): Database => {
  const db = openSqlite({ path, syncToDisk: false });
  opened.push(db);
  return db;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-db-'));
  path = join(folder, 'sub', 'neutrino.sqlite');
  opened = [];
});
afterEach(async () => {
  for (const db of opened) await db.close();
  rmSync(folder, { recursive: true, force: true });
});

const tables = async (db: Database): Promise<readonly string[]> =>
  (
    await sql<{ name: string }>`select name from sqlite_master where type = 'table' order by name`.execute(db.kysely)
  ).rows.map((r) => r.name);

const addAgentRow = (trx: Trx, host: string) =>
  trx.insertInto('ml2_flat_allocations').values({ physical_network: host }).execute();

const names = async (db: Database): Promise<readonly string[]> =>
  (await db.kysely.selectFrom('ml2_flat_allocations').selectAll().orderBy('physical_network').execute()).map(
    (r) => r.physical_network,
  );

describe('migration', () => {
  test('upgrades an empty database, and changes nothing when repeated', async () => {
    const db = open();
    expect(await pendingMigrations(db)).toEqual(MIGRATIONS.map((m) => m.name));
    await migrate(db);
    const after = await tables(db);
    expect(after).toContain('networks');
    expect(await pendingMigrations(db)).toEqual([]);
    await migrate(db);
    expect(await tables(db)).toEqual(after);
  });

  test('runs once for several simultaneous handles', async () => {
    const dbs = [open(), open(), open(), open()];
    await Promise.all(dbs.map(migrate));
    for (const db of dbs) expect(await pendingMigrations(db)).toEqual([]);
  });

  test('runs once for several simultaneous processes on a new file', async () => {
    const worker = fileURLToPath(new URL('./migrate.worker.ts', import.meta.url));
    const next = async (child: ChildProcess): Promise<unknown> => (await once(child, 'message'))[0] as unknown;
    for (let round = 0; round < 2; round++) {
      path = join(folder, `round-${round}`, 'neutrino.sqlite');
      const children = Array.from({ length: 4 }, () => fork(worker, [path]));
      await Promise.all(children.map(next));
      const done = children.map(next);
      for (const child of children) child.send('go');
      expect(await Promise.all(done)).toEqual(children.map(() => 'done'));
      expect(await pendingMigrations(open())).toEqual([]);
    }
  });

  test('a failing step leaves nothing behind, and remains pending', async () => {
    const db = open();
    await db.kysely.schema.createTable('other').addColumn('id', 'integer').execute();
    await db.kysely.schema.createIndex('ix_networks_project_id').on('other').column('id').execute();
    await expect(migrate(db)).rejects.toThrow();
    expect(await tables(db)).not.toContain('networks');
    expect(await pendingMigrations(db)).toEqual(MIGRATIONS.map((m) => m.name));
  });

  test('rejects a database of a newer version, and names its steps', async () => {
    const db = open();
    await migrate(db);
    await sql`insert into neutrino_migrations (name) values ('9999-from-the-future')`.execute(db.kysely);
    await expect(migrate(db)).rejects.toThrow(/9999-from-the-future.*newer/s);
  });
});

describe('two handles on one file', () => {
  test('write concurrently: every commit is visible to both', async () => {
    const [a, b] = [open(), open()];
    await migrate(a);
    const write = async (db: Database, prefix: string) => {
      for (let i = 0; i < 100; i++)
        await db.transaction(async (trx) => {
          await addAgentRow(trx, `${prefix}${i}`);
          // Lets the other handle try in the middle of this transaction.
          await new Promise((resolve) => setImmediate(resolve));
        });
    };
    await Promise.all([write(a, 'a'), write(b, 'b'), write(a, 'c')]);
    expect((await names(a)).length).toBe(300);
    expect(await names(b)).toEqual(await names(a));
  });

  test('a reader sees nothing of a transaction before its commit, and all of it afterwards', async () => {
    const [a, b] = [open(), open()];
    await migrate(a);
    await a.transaction(async (trx) => {
      await addAgentRow(trx, 'one');
      await addAgentRow(trx, 'two');
      expect(await names(b)).toEqual([]);
    });
    expect(await names(b)).toEqual(['one', 'two']);
  });

  test('a transaction that throws changes nothing, and releases its connection', async () => {
    const db = open();
    await migrate(db);
    const failing = db.transaction(async (trx) => {
      await addAgentRow(trx, 'gone');
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    await db.transaction((trx) => addAgentRow(trx, 'stays'));
    expect(await names(db)).toEqual(['stays']);
  });

  test('a commit listener is called for each commit and for no rollback', async () => {
    const db = open();
    await migrate(db);
    let heard = 0;
    db.onCommit(() => heard++);
    await db.transaction((trx) => addAgentRow(trx, 'x'));
    await db
      .transaction(async () => {
        throw new Error('on purpose');
      })
      .catch(() => undefined);
    expect(heard).toBe(1);
  });
});

describe('a database that cannot be written', () => {
  test('fails the transaction if the disk is full, and works again once there is space', async () => {
    const db = open();
    await migrate(db);
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db.kysely);
    await sql`pragma max_page_count = ${sql.lit(rows[0]?.page_count ?? 0)}`.execute(db.kysely);
    const fill = db.transaction(async (trx) => {
      for (let i = 0; i < 2000; i++) await addAgentRow(trx, `filling-${i}-${'x'.repeat(40)}`);
    });
    await expect(fill).rejects.toBeInstanceOf(DatabaseUnavailable);
    expect(errorAnswer(await fill.catch((error: unknown) => error))).toEqual({
      status: 503,
      body: {
        NeutronError: { type: 'ServiceUnavailable', message: expect.stringMatching(/disk .* is full/), detail: '' },
      },
    });
    expect(await names(db)).toEqual([]);
    await sql`pragma max_page_count = 1000000`.execute(db.kysely);
    await db.transaction((trx) => addAgentRow(trx, 'room again'));
    expect(await names(db)).toEqual(['room again']);
  });

  test('reports a permanent lock by another process after retries', async () => {
    const db = openSqlite({ path, syncToDisk: false, giveUpAfterMs: 300 });
    opened.push(db);
    await migrate(db);
    const other = new DatabaseSync(path);
    other.exec('begin immediate');
    const refused = db.transaction((trx) => addAgentRow(trx, 'x'));
    await expect(refused).rejects.toBeInstanceOf(DatabaseUnavailable);
    expect(errorAnswer(await refused.catch((error: unknown) => error))).toMatchObject({
      status: 503,
      body: { NeutronError: { type: 'ServiceUnavailable' } },
    });
    other.exec('rollback');
    other.close();
    await db.transaction((trx) => addAgentRow(trx, 'y'));
    expect(await names(db)).toEqual(['y']);
  });

  test('names a folder that cannot be created', () => {
    writeFileSync(join(folder, 'file'), '');
    path = join(folder, 'file', 'neutrino.sqlite');
    expect(open).toThrow(join(folder, 'file'));
  });
});
