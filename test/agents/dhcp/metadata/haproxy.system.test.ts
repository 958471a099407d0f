import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WantedProxy } from '../../../../src/agents/dhcp/metadata/contract.ts';
import { HaproxyProxies, haproxyFiles } from '../../../../src/agents/dhcp/metadata/haproxy.ts';
import { type Config, defaultConfig } from '../../../../src/config/options.ts';
import { ipBatch } from '../../../../src/linux/ip.ts';
import { deleteNamespace, ensureNamespace, namespacePath } from '../../../../src/linux/namespaces.ts';
import { endProcess, isAlive } from '../../../../src/linux/processes.ts';
import { run } from '../../../../src/linux/run.ts';
import { waitFor } from '../../../../src/time/wait.ts';

const obstacle =
  process.getuid?.() !== 0
    ? 'needs root'
    : existsSync('/usr/sbin/haproxy')
      ? undefined
      : 'haproxy is missing (Debian package haproxy)';

let folder: string;
let namespace: string;
let networkId: string;
let server: Server | undefined;
let config: Pick<Config, 'DEFAULT'>;
const open: HaproxyProxies[] = [];

function proxies(): HaproxyProxies {
  const made = new HaproxyProxies({ config, log: pino({ level: 'silent' }) });
  open.push(made);
  return made;
}
const wanted = (values: Partial<WantedProxy> = {}): WantedProxy => ({
  ...{ networkId, namespace, device: 'dev0', routerId: undefined },
  ...values,
});
const files = () => haproxyFiles(config.DEFAULT, networkId);
const pid = () => Number(readFileSync(files().pid, 'utf8'));

/** Asks as a machine, with headers of its own; returns the headers that reach the socket. */
async function ask(host: string, headers: Readonly<Record<string, string>> = {}): Promise<IncomingHttpHeaders> {
  const script = `require('node:http').get(${JSON.stringify({ host, path: '/x', headers })}, (res) => res.pipe(process.stdout))`;
  const { stdout } = await run(['nsenter', `--net=${namespacePath(namespace)}`, '--', process.execPath, '-e', script]);
  return JSON.parse(stdout) as IncomingHttpHeaders;
}

const makeDevice = () =>
  ipBatch(
    [
      ['link', 'add', 'name', 'dev0', 'type', 'veth', 'peer', 'name', 'dev1'],
      ['link', 'set', 'dev', 'dev0', 'up'],
      ['link', 'set', 'dev', 'dev1', 'up'],
      ['addr', 'add', '169.254.169.254/32', 'dev', 'dev0'],
      ['addr', 'add', 'fe80::a9fe:a9fe/64', 'dev', 'dev0'],
    ],
    { namespace },
  );
/** Waits for an answer, because machines cannot use an IPv6 address before its duplicate address detection is over. */
const askIpv6 = (headers: Readonly<Record<string, string>> = {}) =>
  waitFor('an answer on IPv6', () => ask('fe80::a9fe:a9fe%dev0', headers).catch(() => undefined), 20_000);

describe.skipIf(obstacle !== undefined)(`a network's haproxy${obstacle ? `: ${obstacle}` : ''}`, () => {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'neutrino-haproxy-'));
    networkId = randomUUID();
    namespace = `qdhcp-${networkId}`;
    const state_path = folder;
    const socket = join(folder, 'metadata_proxy');
    config = {
      DEFAULT: {
        ...defaultConfig().DEFAULT,
        ...{ state_path, metadata_proxy_socket: socket, external_pids: join(folder, 'external/pids') },
      },
    };
    await ensureNamespace(namespace);
    await makeDevice();
    server = createServer((req, res) => res.end(JSON.stringify(req.headers)));
    server.listen(socket);
    await once(server, 'listening');
  });
  afterEach(async () => {
    for (const one of open.splice(0)) {
      await one.stop(networkId);
      await one.close();
    }
    server?.closeAllConnections();
    server?.close();
    await deleteNamespace(namespace);
    rmSync(folder, { recursive: true, force: true });
  });

  it("passes requests to the socket with the network's id and the client's address, on IPv4 and IPv6", async () => {
    await proxies().serve(wanted());
    const spoofed = { 'X-Neutron-Network-ID': 'x', 'X-Neutron-Router-ID': 'y', 'X-Forwarded-For': '10.0.0.66' };
    expect(await ask('169.254.169.254', spoofed)).toMatchObject({
      'x-neutron-network-id': networkId,
      'x-forwarded-for': '10.0.0.66, 169.254.169.254',
    });
    const seen = await askIpv6(spoofed);
    expect(seen['x-forwarded-for']).toMatch(/^10\.0\.0\.66, fe80::/);
    expect(seen['x-neutron-router-id']).toBeUndefined();
  });

  it('outlives its agent and is adopted; it is restarted only if its configuration changes', async () => {
    const first = proxies();
    await first.serve(wanted());
    const before = pid();
    await first.serve(wanted());
    await first.close();
    const second = proxies();
    await second.serve(wanted());
    expect(pid()).toBe(before);
    const routerId = randomUUID();
    await second.serve(wanted({ routerId }));
    expect(pid()).not.toBe(before);
    expect(await isAlive(before)).toBe(false);
    const seen = await ask('169.254.169.254', { 'X-Neutron-Network-ID': 'x' });
    expect(seen).toMatchObject({ 'x-neutron-router-id': routerId });
    expect(seen['x-neutron-network-id']).toBeUndefined();
  });

  it('reports its death, is started again, and is removed with its files', async () => {
    const one = proxies();
    const died = new Promise((resolve) => one.onDeath(resolve));
    await one.serve(wanted());
    const before = pid();
    await endProcess(before);
    expect(await died).toBe(networkId);
    await one.serve(wanted());
    const now = pid();
    expect(now).not.toBe(before);
    expect(await one.stop(networkId)).toBe(`haproxy ${now}`);
    expect(await isAlive(now)).toBe(false);
    expect(Object.values(files()).filter(existsSync)).toEqual([]);
    expect(await one.stop(networkId)).toBeUndefined();
  });

  it('listens on the device that replaced a deleted one of the same name', async () => {
    const one = proxies();
    await one.serve(wanted());
    await ipBatch([['link', 'delete', 'dev', 'dev0']], { namespace });
    await makeDevice();
    await one.serve(wanted());
    expect(await askIpv6()).toMatchObject({ 'x-neutron-network-id': networkId });
  });

  it('is not mistaken for another process whose id is in the pid file', async () => {
    const one = proxies();
    await one.serve(wanted());
    await endProcess(pid());
    writeFileSync(files().pid, `${process.pid}\n`);
    expect(await proxies().stop(networkId)).toBeUndefined();
  });
});
