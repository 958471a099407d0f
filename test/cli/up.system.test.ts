import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AGENT_KINDS } from '../../src/cli/agents/kinds.ts';
import { banner } from '../../src/cli/up/up.ts';
import { defaultConfig } from '../../src/config/options.ts';
import { NeutrinoProcess } from './neutrino-process.ts';

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
  it('makes the state path, says where the API is, answers there, and stops on SIGTERM with exit code 0', async () => {
    const running = up();
    const url = await running.url();
    expect((await fetch(url)).status).toBe(200);
    expect(JSON.parse(readFileSync(join(statePath, 'up.json'), 'utf8'))).toMatchObject({ pid: running.pid, url });
    expect(running.stdout).toContain('curl -s');
    expect(await running.end('SIGTERM')).toBe(0);
    expect(existsSync(join(statePath, 'up.json'))).toBe(false);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('stops on SIGINT too', async () => {
    const running = up();
    await running.url();
    expect(await running.end('SIGINT')).toBe(0);
  });

  it('refuses a state path on which another one runs, and says which', async () => {
    const first = up();
    const url = await first.url();
    const second = up();
    expect(await second.exitCode()).toBe(1);
    expect(second.stderr).toBe(
      `neutrino: a Neutrino runs on state path ${statePath} already (process ${first.pid}, API at ${url}); ` +
        'stop it with bin/neutrino down, or choose another with --state-path\n',
    );
    expect((await fetch(url)).status).toBe(200);
  });

  it('takes the state path over from one that was killed', async () => {
    const first = up();
    await first.url();
    await first.end('SIGKILL');
    expect(existsSync(join(statePath, 'up.json'))).toBe(true);
    const second = up();
    expect((await fetch(await second.url())).status).toBe(200);
  });

  it('tells in one line that its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const refused = up('--bind-port', String(port));
    expect(await refused.exitCode()).toBe(1);
    other.close();
    expect(refused.stderr.split('\n').filter((line) => line.startsWith('neutrino: '))).toEqual([
      `neutrino: 127.0.0.1:${port} is taken by another program; choose another port with --bind-port, ` +
        'or stop that program (ss -ltnp shows it)',
    ]);
    expect(refused.stderr).not.toContain(' at ');
  });

  it('tells in one line what is wrong with its options and files', async () => {
    writeFileSync(join(folder, 'file'), '');
    const cases: [string[], string][] = [
      [['--bind-port', 'x'], '[DEFAULT] bind_port = "x" (--bind-port): must be a whole number from 0 to 65535'],
      [['--config-file', join(folder, 'none')], `--config-file ${join(folder, 'none')}: no such file`],
      [['--state-path', join(folder, 'file/below')], 'a part of it is a file, not a folder'],
      [['--state-path', join(folder, 'file')], 'a part of it is a file, not a folder'],
      [['--bind-host', '192.0.2.1'], '192.0.2.1: this machine has no such address'],
    ];
    for (const [words, message] of cases) {
      const refused = up(...words);
      expect(await refused.exitCode()).toBe(1);
      expect(refused.stderr).toMatch(/^neutrino: .*\n$/m);
      expect(refused.stderr).toContain(message);
      expect(refused.stdout).toBe('');
    }
  });

  it('warns of options that only Neutron has', async () => {
    const running = up('--config-file', 'test/fixtures/config/neutron.conf');
    await running.url();
    expect(running.stderr).toContain('known in Neutron, without effect here: [DEFAULT] core_plugin');
  });
});

describe('the words of neutrino up', () => {
  const facts = { version: '1.2.3', config: defaultConfig(), url: 'http://127.0.0.1:9696', kinds: AGENT_KINDS };

  it('say what to try next, machines too when the agents run', () => {
    const text = banner({ ...facts, agents: true, obstacles: [] });
    expect(text).toContain('Neutrino 1.2.3 is up.');
    expect(text).toContain(`L2 agent and DHCP agent of host ${facts.config.DEFAULT.host}`);
    expect(text).toContain('bin/neutrino vm boot vm1');
  });

  it('say what is missing and why when the API runs alone', () => {
    const text = banner({
      ...facts,
      agents: true,
      obstacles: ['not root (user id 1000): ...', 'not installed: dnsmasq'],
    });
    expect(text).toMatch(
      /none, the API runs alone: .*\n +not root \(user id 1000\): \.\.\.\n +not installed: dnsmasq\n/,
    );
    expect(text).not.toContain('vm boot');
    expect(banner({ ...facts, agents: false, obstacles: [] })).toContain('none (--no-agents)');
  });
});

describe.skipIf(process.getuid?.() !== 0)('neutrino up without root (needs root to give it up)', () => {
  const NOBODY = 65534;

  it('starts the API alone and says what is missing and why', async ({ skip }) => {
    const reads = spawnSync('test', ['-r', 'src/cli/main.ts'], { uid: NOBODY, gid: NOBODY });
    if (reads.status !== 0) skip('the project lies where only root can read it');
    mkdirSync(statePath);
    chownSync(statePath, NOBODY, NOBODY);
    chmodSync(folder, 0o755);
    const running = NeutrinoProcess.asUser(NOBODY, 'up', '--bind-port', '0', '--state-path', statePath);
    const url = await running.url();
    await running.printed(/Ctrl-C stops/);
    expect(running.stdout).toContain('none, the API runs alone');
    expect(running.stdout).toContain(`not root (user id ${NOBODY})`);
    expect((await fetch(url)).status).toBe(200);
    expect(await running.end('SIGTERM')).toBe(0);
  });

  it('refuses a state path that it cannot write to', async ({ skip }) => {
    const reads = spawnSync('test', ['-r', 'src/cli/main.ts'], { uid: NOBODY, gid: NOBODY });
    if (reads.status !== 0) skip('the project lies where only root can read it');
    const refused = NeutrinoProcess.asUser(NOBODY, 'up', '--bind-port', '0', '--state-path', statePath);
    expect(await refused.exitCode()).toBe(1);
    expect(refused.stderr).toContain(`neutrino: state path ${statePath}: not yours to write to; choose another`);
  });
});
