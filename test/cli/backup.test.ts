import { pbkdf2 } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backUp } from '../../src/cli/backup/backup.ts';
import { copyDatabase } from '../../src/cli/backup/copy.ts';
import { restore } from '../../src/cli/backup/restore.ts';
import { hostOfStatePath, keepHost } from '../../src/cli/state/host.ts';
import { lockRoles, SERVER_ROLE } from '../../src/cli/state/lock.ts';
import { migrate } from '../../src/db/migrate.ts';
import { MIGRATIONS } from '../../src/db/migrations/index.ts';
import { openSqlite } from '../../src/db/sqlite/open.ts';

let folder: string;
let statePath: string;
let database: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-backup-'));
  statePath = join(folder, 'state');
  database = join(statePath, 'neutrino.sqlite');
  file = join(folder, 'backup');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inputs = (connection?: string) => ({
  files: [],
  env: connection === undefined ? {} : { OS_DATABASE__CONNECTION: connection },
  flags: { '--state-path': statePath },
  reader: 'server' as const,
});

/** Each returns what it printed. */
async function backedUp(target = file): Promise<string> {
  const lines: string[] = [];
  await backUp(inputs(), target, (line) => lines.push(line));
  return lines.join('\n');
}
async function restored(source = file, force = false): Promise<string> {
  const lines: string[] = [];
  await restore(inputs(), source, { force }, (line) => lines.push(line));
  return lines.join('\n');
}

/** Opens the database of the state path, of the current schema, as a Neutrino does. */
async function openNeutrino() {
  mkdirSync(statePath, { recursive: true });
  const db = openSqlite({ path: database });
  await migrate(db);
  return db;
}

/** A database with one row that has a name of its own. */
async function databaseWith(name: string): Promise<void> {
  const db = await openNeutrino();
  await db.kysely
    .insertInto('outbox')
    .values({ ordering_key: name, method: 'm', host: null, payload: '{}', created_at: '2026-01-01 00:00:00' })
    .execute();
  await db.close();
}

function rowsOf(path: string): unknown[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = db.prepare('select ordering_key from outbox').all();
    return rows.map((row) => row.ordering_key);
  } finally {
    db.close();
  }
}

/** Paths, relative to the test's folder, and content of all files. */
const allFiles = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path, readFileSync(path).toString('base64')]);

describe('backup', () => {
  it('creates a single file readable only by its owner, and prints its contents', async () => {
    await databaseWith('a');
    keepHost(statePath, 'lab1');
    const last = MIGRATIONS.at(-1)?.name;
    expect(await backedUp()).toBe(
      `Backup of ${database} written to ${file}: 0 network(s), 0 port(s), ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB, ` +
        `schema ${last}, host lab1\nStop Neutrino and restore it with: bin/neutrino restore --force --state-path ${statePath} ${file}`,
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(rowsOf(file)).toEqual(['a']);
    expect(readdirSync(folder).sort()).toEqual(['backup', 'state']);
  });

  it('rejects an existing file, a missing folder and a missing database, and changes nothing', async () => {
    await expect(backedUp()).rejects.toThrow(`there is no database ${database}`);
    expect(existsSync(statePath)).toBe(false);
    await databaseWith('a');
    writeFileSync(file, 'mine');
    const before = allFiles();
    await expect(backedUp()).rejects.toThrow(`${file} exists already`);
    await expect(backedUp(folder)).rejects.toThrow(`${folder} exists already`);
    await expect(backedUp(join(folder, 'none', 'backup'))).rejects.toThrow(`there is no folder ${folder}/none`);
    await expect(backedUp(join(file, 'backup'))).rejects.toThrow(`there is no folder ${file}`);
    expect(allFiles()).toEqual(before);
  });

  it('rejects and names a database that is damaged, locked, or not Neutrino’s', async () => {
    mkdirSync(statePath);
    writeFileSync(database, 'garbage '.repeat(2_000));
    await expect(backedUp()).rejects.toThrow(`${database} is not an SQLite database`);
    rmSync(database);
    const other = new DatabaseSync(database);
    other.exec('create table t (a)');
    await expect(backedUp()).rejects.toThrow(`the copy of ${database} is not a database of Neutrino`);
    other.exec('begin exclusive');
    await expect(backedUp()).rejects.toThrow(`${database} is locked by another process (waited 2 s)`);
    other.close();
    expect(readdirSync(folder)).toEqual(['state']);
  });

  it('fails after a time limit, with an error that names the files', async () => {
    await databaseWith('a');
    // All threads that copy are busy.
    const busy = Array.from({ length: 8 }, () => promisify(pbkdf2)('a', 'b', 200_000, 32, 'sha256'));
    await expect(copyDatabase(database, file, () => undefined, 0)).rejects.toThrow(
      `waited 0 ms for SQLite to copy ${database} to ${file}`,
    );
    await Promise.all(busy);
  });

  it.each(['mysql+pymysql://neutron:geheim@host/cloud', 'mariadb://neutron:geheim@host/cloud'])(
    'names mariadb-dump, without the password, if the database is %s',
    async (connection) => {
      const dump = /mariadb-dump --single-transaction cloud > FILE/;
      const failure = await backUp(inputs(connection), file, () => undefined).catch((error: Error) => error.message);
      expect(failure).toMatch(dump);
      expect(failure).not.toContain('geheim');
      await expect(restore(inputs(connection), file, { force: true }, () => undefined)).rejects.toThrow(dump);
    },
  );
});

describe('restore', () => {
  it('restores the database and the host of the state path', async () => {
    await databaseWith('a');
    keepHost(statePath, 'lab1');
    await backedUp();
    rmSync(statePath, { recursive: true });
    expect(await restored()).toMatch(
      new RegExp(`^Restored ${file} to ${database}: 0 network\\(s\\), 0 port\\(s\\), .*host lab1`),
    );
    expect(rowsOf(database)).toEqual(['a']);
    expect(hostOfStatePath(statePath)).toBe('lab1');
    expect(statSync(database).mode & 0o777).toBe(0o600);
    // And again: a backup of what was restored.
    await backedUp(join(folder, 'second'));
    expect(rowsOf(join(folder, 'second'))).toEqual(['a']);
  });

  it('refuses to overwrite, and moves the old database aside with --force', async () => {
    await databaseWith('a');
    keepHost(statePath, 'lab1');
    await backedUp();
    await databaseWith('b');
    keepHost(statePath, 'lab2');
    const before = allFiles();
    await expect(restored()).rejects.toThrow(`${database} exists already; --force moves it aside`);
    expect(allFiles().filter(([path]) => !/up\.(lock|json)/.test(`${path}`))).toEqual(before);

    const said = await restored(file, true);
    const [, aside = ''] = /The former database is now (\S+)/.exec(said) ?? [];
    expect(rowsOf(database)).toEqual(['a']);
    expect(rowsOf(aside)).toEqual(['a', 'b']);
    expect(said).toContain('now belongs to host lab1 (before: lab2)');
    expect(readdirSync(statePath).filter((name) => name.startsWith('neutrino.sqlite')).length).toBe(2);
    await restored(aside, true);
    expect(rowsOf(database)).toEqual(['a', 'b']);
  });

  it('moves a damaged database aside unchanged, with its log', async () => {
    await databaseWith('a');
    await backedUp();
    for (const ending of ['', '-wal', '-shm']) writeFileSync(database + ending, `garbage${ending} `.repeat(2_000));
    const [, aside = ''] = /The former database is now (\S+)/.exec(await restored(file, true)) ?? [];
    expect(rowsOf(database)).toEqual(['a']);
    for (const ending of ['', '-wal'])
      expect(readFileSync(aside + ending, 'utf8')).toContain(`garbage${ending} garbage`);
  });

  it('rejects a database that another program has open', async () => {
    await databaseWith('a');
    await backedUp();
    const other = openSqlite({ path: database });
    await expect(restored(file, true)).rejects.toThrow(`${database} is locked by another process`);
    await other.close();
    expect(rowsOf(database)).toEqual(['a']);
  });

  it('fails while Neutrino runs on the state path', async () => {
    await databaseWith('a');
    await backedUp();
    const lock = await lockRoles(statePath, [SERVER_ROLE]);
    await expect(restored(file, true)).rejects.toThrow(`a Neutrino runs on state path ${statePath}`);
    expect(lock).toHaveProperty('release');
    if ('release' in lock) lock.release();
    await restored(file, true);
  });

  it('rejects and names files that are not backups, and changes nothing', async () => {
    await databaseWith('a');
    await backedUp();
    const at = (name: string) => join(folder, name);
    writeFileSync(at('garbage'), 'garbage '.repeat(2_000));
    writeFileSync(at('empty'), '');
    writeFileSync(at('cut'), readFileSync(file).subarray(0, 50_000));
    const damaged = readFileSync(file);
    damaged.fill(7, 50_000, 70_000);
    writeFileSync(at('damaged'), damaged);
    const newer = new DatabaseSync(at('newer'));
    newer.exec('create table neutrino_migrations (name text)');
    newer.exec("insert into neutrino_migrations values ('9999-later')");
    newer.close();
    const before = allFiles();
    for (const [name, message] of [
      ['none', `there is no file ${folder}/none`],
      ['state', `${folder}/state is not a file`],
      ['garbage/below', `there is no file ${folder}/garbage/below`],
      ['garbage', `${folder}/garbage is not an SQLite database`],
      ['empty', `${folder}/empty is not a database of Neutrino`],
      ['cut', `${folder}/cut is damaged`],
      ['damaged', `${folder}/damaged is damaged`],
      ['newer', `${folder}/newer: the database has schema steps that this version does not know (9999-later)`],
    ] as const)
      await expect(restored(at(name), true), name).rejects.toThrow(message);
    expect(allFiles()).toEqual(before);
  });

  it('accepts a database with an older schema, and states that a start upgrades it', async () => {
    await databaseWith('a');
    await backedUp();
    const old = new DatabaseSync(file);
    old.prepare('delete from neutrino_migrations where name = ?').run(MIGRATIONS.at(-1)?.name ?? '');
    old.close();
    expect(await restored(file, true)).toContain('Its schema is older');
  });
});
