import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NeutrinoProcess, neutrino } from '../support/neutrino.ts';

let folder: string;
let statePath: string;
let database: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-backup-'));
  statePath = join(folder, 'state');
  database = join(statePath, 'neutrino.sqlite');
  file = join(folder, 'saved.sqlite');
});
afterEach(async () => {
  await NeutrinoProcess.killAll();
  rmSync(folder, { recursive: true, force: true });
});

const up = () => NeutrinoProcess.start('up', '--no-agents', '--bind-port', '0', '--state-path', statePath);
const backup = (to = file) => neutrino('backup', to, '--state-path', statePath);
const restore = (...words: string[]) => neutrino('restore', file, '--state-path', statePath, ...words);

async function createNetwork(url: string, name: string): Promise<void> {
  const body = JSON.stringify({ network: { name } });
  const answer = await fetch(`${url}/v2.0/networks`, { method: 'POST', body });
  expect(answer.status).toBe(201);
}

async function networkNames(url: string): Promise<readonly string[]> {
  const { networks } = (await (await fetch(`${url}/v2.0/networks`)).json()) as { networks: { name: string }[] };
  return networks.map(({ name }) => name).sort();
}

/** Stores networks below the state path, and stops. */
async function storeNetworks(...names: string[]): Promise<void> {
  const running = up();
  const url = await running.url();
  for (const name of names) await createNetwork(url, name);
  await running.stop();
}

async function storedNetworks(): Promise<readonly string[]> {
  const running = up();
  const names = await networkNames(await running.url());
  await running.stop();
  return names;
}

describe('neutrino backup and restore', () => {
  it('restore the state of a running Neutrino at that moment; later changes are moved aside with --force', async () => {
    const running = up();
    const url = await running.url();
    await createNetwork(url, 'before');
    const { code, stdout, stderr } = await backup();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/saved\.sqlite: 1 network\(s\), 0 port\(s\), \d/);
    const printed = /with: bin\/neutrino (restore .*)/.exec(stdout)?.[1]?.split(' ') ?? [];
    expect(printed).toContain(statePath);
    // One file, complete by itself.
    expect(readdirSync(folder).sort()).toEqual(['saved.sqlite', 'state']);
    await createNetwork(url, 'after');
    expect(await networkNames(url)).toEqual(['after', 'before']);

    const early = await restore('--force');
    expect(early.code).toBe(1);
    expect(early.stderr).toContain(
      `a Neutrino runs on state path ${statePath} (process ${running.pid}); stop it first`,
    );
    expect(await networkNames(url)).toEqual(['after', 'before']);

    await running.stop();
    const refused = await restore();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`${database} exists already; --force moves it aside`);

    const saved = readFileSync(file);
    // The command that `backup` printed.
    const done = await neutrino(...printed);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const aside = /The former database is now (\S+)/.exec(done.stdout)?.[1] ?? '';
    const former = new DatabaseSync(aside, { readOnly: true });
    expect(former.prepare('select count(*) as n from networks').get()).toEqual({ n: 2 });
    former.close();
    expect(readFileSync(file)).toEqual(saved);
    expect(await storedNetworks()).toEqual(['before']);
  });

  it('save changes in the write-ahead log of a killed Neutrino, which a plain copy of its file lacks', async () => {
    const running = up();
    await createNetwork(await running.url(), 'n');
    await running.kill();
    const plain = join(folder, 'plain.sqlite');
    copyFileSync(database, plain);
    const copied = new DatabaseSync(plain);
    expect(copied.prepare("select name from sqlite_master where name = 'networks'").all()).toEqual([]);
    copied.close();
    expect((await backup()).code).toBe(0);
    rmSync(statePath, { recursive: true });
    expect(await restore()).toMatchObject({ code: 0, stderr: '' });
    expect(await storedNetworks()).toEqual(['n']);
  });

  it('never overwrite a file, and leave none if there is nothing to back up', async () => {
    const missing = await backup();
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain(`there is no database ${database}`);
    expect(existsSync(statePath)).toBe(false);
    await storeNetworks();
    writeFileSync(file, 'mine');
    const refused = await backup();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`${file} exists already`);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect((await backup(join(folder, 'no', 'such', 'file'))).stderr).toContain('there is no folder');
    expect(readdirSync(folder).sort()).toEqual(['saved.sqlite', 'state']);
  });

  it('reject files that are not usable backups, and change nothing', async () => {
    await storeNetworks('kept');
    const before = readFileSync(database);
    const refusal = async (make: () => void) => {
      rmSync(file, { force: true });
      make();
      const { code, stdout, stderr } = await restore('--force');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(readFileSync(database)).toEqual(before);
      expect(readdirSync(statePath).filter((name) => name.includes('restoring'))).toEqual([]);
      return stderr;
    };
    const altered = (sql: string) => () => {
      copyFileSync(database, file);
      const copied = new DatabaseSync(file);
      copied.exec(sql);
      copied.close();
    };
    expect(await refusal(() => undefined)).toContain(`there is no file ${file}`);
    expect(await refusal(() => mkdirSync(file))).toContain(file);
    rmSync(file, { recursive: true });
    expect(await refusal(() => writeFileSync(file, 'x'.repeat(10_000)))).toContain(`${file} is not an SQLite database`);
    expect(await refusal(() => writeFileSync(file, ''))).toContain(`${file} is not a database of Neutrino`);
    expect(await refusal(altered('drop table neutrino_migrations'))).toContain(`${file} is not a database of Neutrino`);
    expect(await refusal(altered("insert into neutrino_migrations values ('9999-from-the-future')"))).toMatch(
      /9999-from-the-future.*newer Neutrino/,
    );
    const damaged = () => {
      copyFileSync(database, file);
      const bytes = readFileSync(file);
      bytes.fill(0x5a, 3 * 4096, 12 * 4096);
      writeFileSync(file, bytes);
    };
    expect(await refusal(damaged)).toMatch(/damaged/);
    expect(await storedNetworks()).toEqual(['kept']);
  });

  it('name the tools of MariaDB if that is the database', async () => {
    const conf = join(folder, 'neutron.conf');
    writeFileSync(conf, '[database]\nconnection = mysql+pymysql://neutron:secret@db/neutron\n');
    for (const command of ['backup', 'restore']) {
      const { code, stderr } = await neutrino(command, file, '--config-file', conf);
      expect(code).toBe(1);
      expect(stderr).toContain('mariadb-dump');
      expect(stderr).not.toContain('secret');
    }
  });
});
