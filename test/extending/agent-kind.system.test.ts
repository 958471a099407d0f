import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unmetRequirements } from '../../src/cli/agents/requirements.ts';
import { defaultConfig } from '../../src/config/options.ts';
import { METERING_AGENT } from './agent-kind.ts';

const MAIN = join(import.meta.dirname, 'agent-kind.main.ts');
const IN_TIME = { signal: AbortSignal.timeout(60_000) };

let statePath: string;
const running = new Set<ChildProcess>();
beforeEach(() => {
  statePath = mkdtempSync(join(tmpdir(), 'neutrino-kind-'));
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  rmSync(statePath, { recursive: true, force: true });
});

function start(...words: readonly string[]) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  return child;
}

/** Runs a command to its end; returns what it printed. */
const printed = (...words: readonly string[]) => text(start(...words).stdout);

describe('an agent kind that is one row in the table of kinds', () => {
  it('has a command with the options and the help of agents', async () => {
    expect(await printed('--help')).toMatch(/^ {2}metering-agent .*reports how much this host carries$/m);
    expect(await printed('metering-agent', '--help')).toMatch(/--state-path <FOLDER>[\s\S]*--host <NAME>/);
  });

  it('states which of its programs are missing', async () => {
    expect((await unmetRequirements([METERING_AGENT], defaultConfig(), { PATH: '/nowhere' })).join()).toMatch(
      process.getuid?.() === 0 ? /not installed: ip \(as root: apt-get install iproute2\)/ : /not root/,
    );
  });

  it.skipIf(process.getuid?.() !== 0)(
    'runs in `up` with its own lock, reports to the server, and is stopped by `down` (needs root)',
    async () => {
      const place = ['--state-path', statePath, '--host', 'kind-test'];
      const up = start('up', '--bind-port', '0', ...place);
      let banner = '';
      up.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        banner += chunk;
      });
      while (!banner.includes('Ctrl-C stops')) await once(up.stdout, 'data', IN_TIME);
      expect(banner).toContain('L2 agent, DHCP agent, metadata agent, and metering agent of host kind-test');
      const [, url = ''] = /API +(http:\S+)/.exec(banner) ?? [];
      const answer = await fetch(`${url}/v2.0/agents?agent_type=Metering%20agent`);
      expect(await answer.json()).toMatchObject({
        agents: [{ host: 'kind-test', binary: 'neutron-metering-agent', alive: true }],
      });
      expect(existsSync(join(statePath, 'metering-agent.lock'))).toBe(true);

      const ended = once(up, 'close', IN_TIME);
      await printed('down', '--purge', '--yes', ...place);
      expect((await ended)[0]).toBe(0);
      expect(existsSync(statePath)).toBe(false);
    },
  );
});
