import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AGENT_KINDS } from '../../src/cli/agents/kinds.ts';
import { banner } from '../../src/cli/up/banner.ts';
import { labOf } from '../../src/cli/vm/lab.ts';
import { defaultConfig } from '../../src/config/options.ts';
import { NeutrinoProcess, neutrino } from '../support/neutrino.ts';

let folder: string;
let statePath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-up-'));
  statePath = join(folder, 'state');
});
afterEach(async () => {
  await NeutrinoProcess.killAll();
  rmSync(folder, { recursive: true, force: true });
});

const up = (...words: string[]) =>
  NeutrinoProcess.start('up', '--no-agents', '--bind-port', '0', '--state-path', statePath, ...words);

describe('neutrino up', () => {
  it('creates the state path, prints the URL of the API, responds there, and stops on SIGTERM with exit code 0', async () => {
    const running = up();
    const url = await running.url();
    expect((await fetch(url)).status).toBe(200);
    expect(JSON.parse(readFileSync(join(statePath, 'up.json'), 'utf8'))).toMatchObject({ pid: running.pid, url });
    expect(running.stdout).toContain('curl -s');
    expect(await running.end('SIGTERM')).toBe(0);
    expect(existsSync(join(statePath, 'up.json'))).toBe(false);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('logs text if requested, and JSON by default without a terminal', async () => {
    const [asText, asJson] = [up('--log-format', 'text'), up('--state-path', join(folder, 'other'))];
    await asText.logged(/^\d\d:\d\d:\d\d info {2}Server listening/m);
    await asJson.logged(/^\{"level":"info",.*Server listening/m);
    const wrong = up('--log-format', 'xml');
    expect(await wrong.exitCode()).toBe(2);
    expect(wrong.stderr).toContain('log_format = "xml" (--log-format): must be');
  });

  it('stops on SIGINT too', async () => {
    const running = up();
    await running.url();
    expect(await running.end('SIGINT')).toBe(0);
  });

  it('rejects a state path on which another Neutrino runs, and names it', async () => {
    const first = up();
    const url = await first.url();
    const second = up();
    expect(await second.exitCode()).toBe(1);
    expect(second.stderr).toBe(
      `neutrino: a Neutrino runs on state path ${statePath} already (process ${first.pid}, API at ${url}); ` +
        `stop it with bin/neutrino down --state-path ${statePath}, or choose another with --state-path\n`,
    );
    expect((await fetch(url)).status).toBe(200);
  });

  it('takes over the state path of a killed Neutrino', async () => {
    const first = up();
    await first.url();
    await first.end('SIGKILL');
    expect(existsSync(join(statePath, 'up.json'))).toBe(true);
    const second = up();
    expect((await fetch(await second.url())).status).toBe(200);
  });

  it('reports a port in use in one line', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const refused = up('--bind-port', String(port));
    expect(await refused.exitCode()).toBe(1);
    other.close();
    expect(refused.stderr.split('\n').filter((line) => line.startsWith('neutrino: '))).toEqual([
      `neutrino: 127.0.0.1:${port} is in use by another program; choose another port with --bind-port, ` +
        'or stop that program (ss -ltnp shows it)',
    ]);
    expect(refused.stderr).not.toContain(' at ');
  });

  it('reports an invalid option or file in one line', async () => {
    writeFileSync(join(folder, 'file'), '');
    const cases: [string[], number, string][] = [
      [['--bind-port', 'x'], 2, '[DEFAULT] bind_port = "x" (--bind-port): must be a whole number from 0 to 65535'],
      [['--config-file', join(folder, 'none')], 2, `--config-file ${join(folder, 'none')}: no such file`],
      [['--config-file', folder], 2, `--config-file ${folder}: is a folder, not a file`],
      [['--state-path', join(folder, 'file/below')], 1, 'one of its components is a file, not a folder'],
      [['--state-path', join(folder, 'file')], 1, 'one of its components is a file, not a folder'],
      [['--bind-host', '192.0.2.1'], 1, '192.0.2.1: this machine does not have that address'],
    ];
    for (const [words, code, message] of cases) {
      const refused = up(...words);
      expect(await refused.exitCode()).toBe(code);
      expect(refused.stderr).toMatch(/^neutrino: .*\n$/m);
      expect(refused.stderr).toContain(message);
      expect(refused.stdout).toBe('');
    }
  });

  it('reports all invalid options, one line each', async () => {
    const refused = up('--bind-port', 'x', '--host', '-');
    expect(await refused.exitCode()).toBe(2);
    expect(refused.stderr).toMatch(
      /^neutrino: \[DEFAULT\] bind_port = "x" \(--bind-port\): .*\nneutrino: \[DEFAULT\] host = "-" \(--host\): .*\n$/,
    );
  });

  it('reports in one line a file that is not a database, and what to do', async () => {
    mkdirSync(statePath);
    for (const name of ['neutrino.sqlite', 'up.lock']) {
      writeFileSync(join(statePath, name), 'not a database, but long enough to be taken for one. '.repeat(40));
      const refused = up();
      expect(await refused.exitCode()).toBe(1);
      expect(refused.stderr).toBe(
        `neutrino: ${join(statePath, name)} is not an SQLite database; restore a backup, or move it away to start ` +
          'with an empty one\n',
      );
      rmSync(join(statePath, name));
    }
  });

  it('names the flags with which other commands find it, and its port in `config show`', async () => {
    const running = up('--host', 'up-test');
    const url = await running.url();
    await running.printed(/Ctrl-C stops/);
    const shown = await neutrino('config', 'show', '--state-path', statePath);
    const source = `Neutrino that runs on this state path \\(process ${running.pid}\\)`;
    expect(shown.stdout).toMatch(new RegExp(`^bind_port = ${new URL(url).port} +${source}$`, 'm'));
    expect(shown.stdout).toMatch(new RegExp(`^host = up-test +${source}$`, 'm'));
    expect((await neutrino('config', 'show', '--state-path', statePath, '--bind-port', '1')).stdout).toMatch(
      /^bind_port = 1 +--bind-port$/m,
    );
    const options = { statePath, configFile: [] };
    const lab = await labOf(options, () => undefined);
    expect([lab.neutron.url, lab.host]).toEqual([url, 'up-test']);
    expect((await labOf({ ...options, host: 'other' }, () => undefined)).host).toBe('other');
    await expect(lab.neutron.findNetwork('nope')).rejects.toThrow(
      `${url} (where the Neutrino of state path ${statePath} runs, process ${running.pid}) has no network`,
    );
    const nowhere = await labOf({ statePath: folder, configFile: [] }, () => undefined);
    await expect(nowhere.neutron.findNetwork('nope')).rejects.toThrow(
      `http://127.0.0.1:9696 (as configured, because no Neutrino runs on state path ${folder})`,
    );
    const second = up();
    await second.exitCode();
    expect(second.stderr).toContain(`stop it with bin/neutrino down --state-path ${statePath}, or`);
  });

  it('warns about options that only Neutron supports', async () => {
    const running = up('--config-file', 'test/fixtures/config/neutron.conf');
    await running.url();
    expect(running.stderr).toContain('Neutron options without effect in Neutrino: [DEFAULT] core_plugin');
  });
});

describe('the banner of neutrino up', () => {
  const facts = {
    version: '1.2.3',
    config: defaultConfig(),
    url: 'http://127.0.0.1:9696',
    kinds: AGENT_KINDS,
    place: '',
  };

  it('names commands to try next, including machines if agents run', () => {
    const text = banner({ ...facts, agents: true, obstacles: [] });
    expect(text).toContain('Neutrino 1.2.3 is up.');
    expect(text).toContain(`L2 agent, DHCP agent, and metadata agent of host ${facts.config.DEFAULT.host}`);
    expect(text).toContain('bin/neutrino vm boot vm1 --network net1  ');
    expect(text).toContain('bin/neutrino down also');
  });

  it('contains the flags with which other commands find this state path', () => {
    const text = banner({ ...facts, agents: true, obstacles: [], place: ' --state-path /x' });
    expect(text).toContain('bin/neutrino vm boot vm1 --network net1 --state-path /x  ');
    expect(text).toContain('bin/neutrino down --state-path /x also');
  });

  it('states what is missing and why if only the API runs', () => {
    const text = banner({
      ...facts,
      agents: true,
      obstacles: ['not root (user id 1000): ...', 'not installed: dnsmasq'],
    });
    expect(text).toMatch(
      /none, only the API runs: .*\n +not root \(user id 1000\): \.\.\.\n +not installed: dnsmasq\n/,
    );
    expect(text).not.toContain('vm boot');
    expect(banner({ ...facts, agents: false, obstacles: [] })).toContain('none (--no-agents)');
  });
});

describe.skipIf(process.getuid?.() !== 0)('neutrino up on a separate disk (needs root)', () => {
  beforeEach(() => mkdirSync(statePath));
  afterEach(() => {
    spawnSync('umount', [statePath]);
  });

  it('reports a full or read-only disk in one line, and does not advise root to run as root', async ({ skip }) => {
    const mount = (options: string) => spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', statePath]).status;
    if (mount('size=64k') !== 0) skip('no file system can be mounted here');
    const full = up();
    expect(await full.exitCode()).toBe(1);
    expect(full.stderr).toMatch(/^neutrino: .*no space left on its disk\n$/);
    spawnSync('umount', [statePath]);

    mount('ro');
    const readOnly = up();
    expect(await readOnly.exitCode()).toBe(1);
    expect(readOnly.stderr).toBe(
      `neutrino: state path ${statePath}: its disk is read-only; choose another with --state-path\n`,
    );
  });
});

describe.skipIf(process.getuid?.() !== 0)('neutrino up without root (needs root to drop it)', () => {
  const NOBODY = 65534;

  it('starts only the API, and states what is missing and why', async ({ skip }) => {
    const reads = spawnSync('test', ['-r', 'src/cli/main.ts'], { uid: NOBODY, gid: NOBODY });
    if (reads.status !== 0) skip('the project lies where only root can read it');
    mkdirSync(statePath);
    chownSync(statePath, NOBODY, NOBODY);
    chmodSync(folder, 0o755);
    const running = NeutrinoProcess.asUser(NOBODY, 'up', '--bind-port', '0', '--state-path', statePath);
    const url = await running.url();
    await running.printed(/Ctrl-C stops/);
    expect(running.stdout).toContain('none, only the API runs');
    expect(running.stdout).toContain(`not root (user id ${NOBODY})`);
    expect((await fetch(url)).status).toBe(200);
    expect(await running.end('SIGTERM')).toBe(0);
  });

  it('rejects a state path that it cannot write to', async ({ skip }) => {
    const reads = spawnSync('test', ['-r', 'src/cli/main.ts'], { uid: NOBODY, gid: NOBODY });
    if (reads.status !== 0) skip('the project lies where only root can read it');
    const refused = NeutrinoProcess.asUser(NOBODY, 'up', '--bind-port', '0', '--state-path', statePath);
    expect(await refused.exitCode()).toBe(1);
    expect(refused.stderr).toContain(`neutrino: state path ${statePath}: permission denied; choose another`);
  });
});
