import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/linux/run.ts';
import { ApiClient } from '../support/api-client.ts';
import { NeutrinoProcess, neutrino, neutrinoCommand } from '../support/neutrino.ts';
import { eachInFolder } from './processes-folder.ts';

const { path } = eachInFolder();
const at = (name: string) => join(path(), name);
const state = (name: string) => ['--state-path', at(name)];
const startUp = (name: string) => NeutrinoProcess.start('up', '--no-agents', '--bind-port', '0', ...state(name));

async function documents(url: string): Promise<unknown> {
  const api = new ApiClient(url);
  return Promise.all(['networks', 'subnets', 'ports'].map((kind) => api.get(`${kind}?sort_key=id&sort_dir=asc`)));
}

/** Creates networks, one after the other, until it is told to stop; `answered` holds those that got their 201. */
function creating(url: string): { readonly answered: string[]; stop(): Promise<void> } {
  const api = new ApiClient(url);
  const answered: string[] = [];
  let stopped = false;
  const work = async () => {
    while (!stopped) answered.push((await api.create('network', { name: 'n' })).id);
  };
  const workers = Promise.all([work(), work(), work(), work()]);
  return {
    answered,
    stop: async () => {
      stopped = true;
      await workers;
    },
  };
}

function networksOf(file: string): unknown[] {
  const db = new DatabaseSync(file);
  try {
    return db
      .prepare('select id from networks')
      .all()
      .map(({ id }) => id);
  } finally {
    db.close();
  }
}

/** Makes state paths `old` and `new` that differ, and a backup of each; returns the ids of their networks. */
async function twoBackups(): Promise<{ readonly old: unknown[]; readonly new: unknown[] }> {
  const ids = { old: [] as unknown[], new: [] as unknown[] };
  for (const name of ['old', 'new'] as const) {
    const running = startUp(name);
    const api = new ApiClient(await running.url());
    ids[name].push((await api.create('network', { name })).id);
    await running.end('SIGTERM');
    const { stderr } = await neutrino('backup', at(`${name}.backup`), ...state(name));
    expect(stderr).toBe('');
  }
  return ids;
}

/** Runs a command that is killed as by kill -9 before the `count`th call of a function of node:fs; resolves to whether it was. */
async function killedAt(call: string, count: number, ...words: readonly string[]): Promise<boolean> {
  const module = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const real = fs.${call};
    let calls = 0;
    fs.${call} = (...values) => {
      if (++calls === ${count}) process.kill(process.pid, 'SIGKILL');
      return real(...values);
    };
    syncBuiltinESMExports();`;
  const command = neutrinoCommand(words, [`data:text/javascript,${encodeURIComponent(module)}`]);
  const failure = await run(command, { timeoutMs: 60_000 }).then(
    () => '',
    (error: Error) => error.message,
  );
  if (failure !== '') expect(failure).toContain('ended by SIGKILL');
  return failure !== '';
}

describe('neutrino backup and restore under load, kills and a full disk', () => {
  it('a backup of a running Neutrino contains every acknowledged change, unlike a plain copy; after a restore, the API returns the same', async () => {
    const running = startUp('state');
    const url = await running.url();
    const network = await new ApiClient(url).create('network', { name: 'n' });
    await new ApiClient(url).create('subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' });
    await new ApiClient(url).create('port', { network_id: network.id });
    copyFileSync(at('state/neutrino.sqlite'), at('copy'));
    const load = creating(url);
    for (const name of ['first', 'second']) {
      const before = [...load.answered];
      const { code, stdout, stderr } = await neutrino('backup', at(name), ...state('state'));
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(' 1 port(s), ');
      expect(new Set(networksOf(at(name))).isSupersetOf(new Set([network.id, ...before]))).toBe(true);
    }
    await load.stop();
    expect(load.answered.length).toBeGreaterThan(0);
    const refused = await neutrino('restore', at('second'), ...state('state'), '--force');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`(process ${running.pid}); stop it first`),
    });
    expect(await neutrino('backup', at('last'), ...state('state'))).toMatchObject({ code: 0 });
    const shown = await documents(url);
    await running.end('SIGTERM');

    const copy = await neutrino('restore', at('copy'), ...state('restored'));
    expect(copy).toMatchObject({ code: 1, stderr: expect.stringContaining('is not a database of Neutrino') });
    expect(existsSync(at('restored'))).toBe(false);
    expect(await neutrino('restore', at('last'), ...state('restored'))).toMatchObject({ code: 0, stderr: '' });
    const again = startUp('restored');
    expect(await documents(await again.url())).toEqual(shown);
    expect(await again.end('SIGTERM')).toBe(0);
  });

  it('a killed backup leaves no file with its name, and the next one works', { timeout: 120_000 }, async () => {
    await twoBackups();
    expect(await killedAt('renameSync', 1, 'backup', at('killed'), ...state('old'))).toBe(true);
    expect(existsSync(at('killed'))).toBe(false);
    expect(await neutrino('backup', at('killed'), ...state('old'))).toMatchObject({ code: 0 });
  });

  it('a restore killed at any point leaves the old or the new database in place, and the other one unchanged', {
    timeout: 300_000,
  }, async () => {
    const ids = await twoBackups();
    const database = at('old/neutrino.sqlite');
    const restore = ['restore', at('new.backup'), ...state('old'), '--force'];
    const found: unknown[] = [];
    for (const call of ['fsyncSync', 'linkSync', 'renameSync', 'rmSync']) {
      for (let count = 1; ; count++) {
        const killed = await killedAt(call, count, ...restore);
        const now = networksOf(database);
        expect([ids.old, ids.new], `${call} ${count}`).toContainEqual(now);
        found.push(now[0]);
        const { code } = await neutrino('restore', at('old.backup'), ...state('old'), '--force');
        expect(code).toBe(0);
        expect(networksOf(database)).toEqual(ids.old);
        if (!killed) break;
      }
    }
    expect(new Set(found)).toEqual(new Set([...ids.old, ...ids.new]));
    for (const name of readdirSync(at('old'))) {
      if (name.includes('.before-restore-')) expect([ids.old, ids.new]).toContainEqual(networksOf(at(`old/${name}`)));
    }
  });

  it.skipIf(process.getuid?.() !== 0)(
    'the error names a full disk, and nothing is left on it (needs root)',
    async () => {
      await twoBackups();
      mkdirSync(at('small'));
      await run(['mount', '-t', 'tmpfs', '-o', 'size=200k', 'neutrino-backup', at('small')]);
      try {
        const { code, stderr } = await neutrino('backup', at('small/backup'), ...state('old'));
        expect({ code, stderr }).toEqual({
          code: 1,
          stderr: `neutrino: the copy of ${at('old/neutrino.sqlite')} cannot be written: no space left on its disk\n`,
        });
        writeFileSync(at('small/mine'), 'x');
        const restored = await neutrino('restore', at('new.backup'), ...state('small'));
        expect(restored.stderr).toContain('no space left on its disk');
        expect(readdirSync(at('small')).sort()).toEqual(['mine', 'up.lock']);
      } finally {
        await run(['umount', at('small')]);
      }
    },
  );
});
