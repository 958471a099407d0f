import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { markOf } from '../../src/agents/l2/drivers/linuxbridge/marks.ts';
import { deleteNamespace, ensureNamespace, namespaceExists, namespacePath } from '../../src/linux/namespaces.ts';
import { endProcess, isAlive } from '../../src/linux/processes.ts';
import { run } from '../../src/linux/run.ts';
import { bridgeName, tapName } from '../../src/net/device-names.ts';
import { linkExists } from '../linux/devices.ts';
import { NeutrinoProcess, neutrino } from '../support/neutrino.ts';

let folder: string;
let statePath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-down-'));
  statePath = join(folder, 'state');
});
afterEach(async () => {
  await NeutrinoProcess.killAll();
  rmSync(folder, { recursive: true, force: true });
});

const up = () => NeutrinoProcess.start('up', '--no-agents', '--bind-port', '0', '--state-path', statePath);
const down = (...words: string[]) => neutrino('down', '--state-path', statePath, ...words);

describe('neutrino down', () => {
  it('stops the Neutrino of the state path and keeps its stored state', async () => {
    const running = up();
    const url = await running.url();
    const { code, stdout } = await down();
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining(`process ${running.pid}`) });
    expect(await running.exitCode()).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
    expect(existsSync(join(statePath, 'neutrino.sqlite'))).toBe(true);
  });

  it('does nothing if there is no state path, and reports that', async () => {
    expect(await down()).toEqual({
      code: 0,
      stdout: `Nothing to do: there is no state path ${statePath}.\n`,
      stderr: '',
    });
    expect(existsSync(statePath)).toBe(false);
  });

  it('does not touch a process that has the pid of a killed Neutrino', async () => {
    const running = up();
    await running.url();
    await running.end('SIGKILL');
    const record = { pid: process.pid, startTime: 1, url: 'http://127.0.0.1:1' };
    writeFileSync(join(statePath, 'up.json'), JSON.stringify(record));
    const { code, stdout } = await down();
    expect(code).toBe(0);
    expect(stdout).not.toContain('Stopping');
  });

  it('deletes only what Neutrino stores with --purge, and needs --yes without a terminal', async () => {
    const running = up();
    await running.url();
    await running.end('SIGTERM');
    const refused = await down('--purge');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('confirm with --yes') });
    expect(existsSync(join(statePath, 'neutrino.sqlite'))).toBe(true);

    writeFileSync(join(statePath, 'notes.txt'), 'mine');
    const purged = await down('--purge', '--yes');
    expect(purged).toMatchObject({ code: 0, stdout: expect.stringContaining('neutrino.sqlite') });
    expect(purged.stdout).toContain('because Neutrino did not create them: notes.txt');
    expect(readdirSync(statePath)).toEqual(['notes.txt']);
    rmSync(join(statePath, 'notes.txt'));
    await down('--purge', '--yes');
    expect(existsSync(statePath)).toBe(false);
  });
});

describe.skipIf(process.getuid?.() !== 0)('neutrino down on this host (needs root)', () => {
  const stranger = { network: randomUUID(), bridge: '' };
  const foreign = `brq${randomBytes(4).toString('hex')}-ab`;
  const made: { devices: string[]; namespaces: string[]; pids: number[] } = { devices: [], namespaces: [], pids: [] };
  afterEach(async () => {
    for (const pid of made.pids) await endProcess(pid);
    for (const name of made.namespaces) await deleteNamespace(name);
    for (const name of made.devices) if (await linkExists(name)) await run(['ip', 'link', 'delete', 'dev', name]);
  });

  /** A bridge as the L2 agent of Neutrino makes it for a network; without its mark, as a stock agent does. */
  async function bridge(name: string, network?: string): Promise<void> {
    made.devices.push(name);
    await run(['ip', 'link', 'add', 'name', name, 'type', 'bridge']);
    if (network) await run(['ip', 'link', 'set', 'dev', name, 'alias', markOf(network, 'a1b2c3d4')]);
  }

  it('removes namespace, devices and dnsmasq of its networks, and leaves those of others', {
    timeout: 60_000,
  }, async () => {
    const running = up();
    const response = await fetch(`${await running.url()}/v2.0/networks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"network": {"name": "n"}}',
    });
    const { network } = (await response.json()) as { network: { id: string } };

    const namespace = `qdhcp-${network.id}`;
    const tap = tapName(randomUUID());
    made.namespaces.push(namespace);
    made.devices.push(tap);
    await ensureNamespace(namespace);
    await run(['ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', tap, 'netns', namespace]);
    await run(['ip', 'link', 'set', 'dev', tap, 'alias', `neutrino-dhcp:${randomUUID()}:${network.id}`]);
    const files = join(statePath, 'dhcp', network.id);
    mkdirSync(files, { recursive: true });
    const pidFile = join(files, 'pid');
    const dnsmasq = [
      'dnsmasq',
      '--no-hosts',
      '--no-resolv',
      '--port=0',
      '--conf-file=/dev/null',
      `--pid-file=${pidFile}`,
    ];
    await run(['nsenter', `--net=${namespacePath(namespace)}`, '--', ...dnsmasq]);
    const pid = Number((await run(['cat', pidFile])).stdout);
    made.pids.push(pid);
    stranger.bridge = bridgeName(stranger.network);
    await bridge(bridgeName(network.id), network.id);
    await bridge(stranger.bridge, stranger.network);
    await bridge(foreign);

    const { code, stdout } = await down();
    expect(code).toBe(0);
    expect(await running.exitCode()).toBe(0);
    expect(stdout).toContain(`Processes   dnsmasq ${pid}\n`);
    expect(stdout).toContain(`Namespaces  ${namespace}\n`);
    expect(stdout).toContain(`Devices     ${tap} ${bridgeName(network.id)}\n`);
    expect(stdout).toMatch(new RegExp(`^Left unchanged.* ${stranger.bridge}\\b`, 'm'));
    expect(await isAlive(pid)).toBe(false);
    expect(await namespaceExists(namespace)).toBe(false);
    expect(await linkExists(tap)).toBe(false);
    expect(await linkExists(bridgeName(network.id))).toBe(false);
    expect(existsSync(files)).toBe(false);
    expect(await linkExists(stranger.bridge)).toBe(true);
    expect(await linkExists(foreign)).toBe(true);

    expect((await down()).stdout).toMatch(/^Nothing to remove on this host\.\n/);
  });
});
