import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NeutrinoProcess, neutrino, neutrinoCommand } from '../../../../support/neutrino.ts';
import { isRoot } from './world.ts';

/** Nobody listens there. */
const NO_BROKER = 'rabbit://guest:guest@127.0.0.1:1/';

describe.skipIf(!isRoot)('an agent beside an old dnsmasq (needs root)', () => {
  const path = process.env.PATH;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neutrino-version-'));
  });
  afterEach(async () => {
    process.env.PATH = path;
    await NeutrinoProcess.killAll();
    await rm(folder, { recursive: true, force: true });
  });

  async function installed(script: string): Promise<void> {
    await writeFile(join(folder, 'dnsmasq'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env.PATH = `${folder}:${path}`;
  }
  /** Starts a process that finds the dnsmasq of the test first. */
  function start(words: readonly string[]): NeutrinoProcess {
    const launcher = ['env', `PATH=${process.env.PATH}`, ...neutrinoCommand([])] as const;
    const started = new NeutrinoProcess({ words, launcher });
    void started.start();
    return started;
  }
  const flags = () => ['--state-path', join(folder, 'state'), '--host', 'old-dnsmasq'];
  const agent = async () => {
    const config = join(folder, 'neutron.conf');
    await writeFile(config, `[DEFAULT]\ntransport_url = ${NO_BROKER}\n`);
    return ['dhcp-agent', '--config-file', config, ...flags()];
  };

  test.each([
    ['echo "Dnsmasq version 2.80  Copyright"', 'dnsmasq 2.80 is too old: 2.81 or newer is needed, because'],
    ['echo "Dnsmasq version UNKNOWN"', 'dnsmasq --version names no version: 2.81 or newer is needed'],
    ['echo broken >&2; exit 3', 'the version of dnsmasq is unknown: dnsmasq --version: exit code 3: broken'],
  ])('does not start, says why, and creates nothing: %s', async (script, why) => {
    await installed(script);
    const { code, stderr } = await neutrino(...(await agent()));
    expect(code).toBe(1);
    expect(stderr).toContain(`neutrino: dhcp-agent cannot run here: ${why}`);
    expect(await readdir(folder)).not.toContain('state');
  });

  test('`up` runs the API alone, and prints why', async () => {
    await installed('echo "Dnsmasq version 2.80  Copyright"');
    const up = start(['up', '--bind-port', '0', ...flags()]);
    await up.url();
    expect(up.stdout).toMatch(/none, only the API runs: .*\n +dnsmasq 2\.80 is too old: /);
    expect(await up.end('SIGTERM')).toBe(0);
  });

  test('before 2.86 it runs, with a warning of what does not work', async () => {
    await installed('echo "Dnsmasq version 2.85  Copyright"');
    const running = start(await agent());
    await running.logged(/"level":"warn".*dnsmasq 2\.85 does not answer DHCPv6 Rebind: machines lose/);
    expect(running.stderr).not.toContain('cannot run here');
  });
});
