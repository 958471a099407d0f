import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guestNamespace } from '../../../src/lab/namespace-guest.ts';
import { nativeObstacle } from '../../../src/linux/native.ts';
import { run } from '../../../src/linux/run.ts';
import { waitFor } from '../../../src/time/wait.ts';
import { ApiClient } from '../../support/api-client.ts';
import { type Ini, iniText } from '../../support/ini.ts';
import { askSocket } from '../../support/metadata-socket.ts';
import { NeutrinoProcess, neutrino } from '../../support/neutrino.ts';
import { type StandInNova, startNova } from '../../support/nova.ts';
import { sharedBroker } from '../../support/shared-services.ts';
import { SECRET } from './site.ts';

const NOBODY = 65534;

let folder: string;
let nova: StandInNova;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-metadata-'));
  chmodSync(folder, 0o755);
  nova = await startNova();
});
afterEach(async () => {
  await NeutrinoProcess.killAll();
  await nova.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes an INI file; returns the words that name it. */
function file(name: string, ini: Ini): string[] {
  writeFileSync(join(folder, name), iniText(ini));
  return ['--config-file', join(folder, name)];
}

/** metadata_agent.ini as in Neutron's guides. */
const metadataIni = () =>
  file('metadata_agent.ini', {
    DEFAULT: {
      nova_metadata_host: '127.0.0.1',
      nova_metadata_port: nova.port,
      metadata_proxy_shared_secret: SECRET,
      metadata_workers: 2,
      cache_url: '',
    },
  });

async function expectMetadata(url: string, socketPath: string, host: string): Promise<void> {
  const api = new ApiClient(url);
  await api.awaitAgent(host, 'Metadata agent');
  const network = await api.create('network', { name: 'n' });
  await api.create('subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' });
  const ip_address = '10.0.0.5';
  await api.create('port', { network_id: network.id, device_id: 'vm-1', fixed_ips: [{ ip_address }] });
  const headers = { 'X-Neutron-Network-ID': String(network.id), 'X-Forwarded-For': ip_address };
  const reply = await askSocket(socketPath, { path: '/latest/meta-data/', headers });
  expect(reply).toMatchObject({ status: 200, text: '/latest/meta-data/' });
  expect(nova.saw.at(-1)?.headers).toMatchObject({ 'x-instance-id': 'vm-1' });
}

describe.skipIf(process.getuid?.() !== 0)('the metadata agent as a process (needs root)', () => {
  it('runs without root beside a server, and frees its socket when it stops', async () => {
    const transport_url = (await sharedBroker()).transportUrl();
    const conf = (state_path: string) => ({ DEFAULT: { transport_url, state_path: join(folder, state_path) } });
    const server = ['--bind-port', '0', ...file('neutron.conf', conf('server'))];
    expect((await neutrino('db', 'upgrade', ...server.slice(2))).code).toBe(0);
    const url = await NeutrinoProcess.start('server', ...server).ready();

    const own = mkdtempSync(join(folder, 'agent-'));
    chmodSync(own, 0o777);
    const files = [...file('agent.conf', conf(join(own.slice(folder.length + 1), 'state'))), ...metadataIni()];
    const agent = NeutrinoProcess.asUser(NOBODY, 'metadata-agent', '--host', 'metadata-1', ...files);
    await agent.ready();
    const socketPath = join(own, 'state', 'metadata_proxy');
    await expectMetadata(url, socketPath, 'metadata-1');
    const second = await neutrino('metadata-agent', '--host', 'metadata-1', ...files);
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('a metadata-agent runs on state path') });
    expect(await agent.end('SIGTERM')).toBe(0);
    expect(agent.stderr).toContain('machines get no metadata until it runs again');
    expect(agent.stderr).not.toContain(SECRET);
    expect(existsSync(socketPath)).toBe(false);
  });

  it('runs in `up` if there is a shared secret, and `down` removes what it left', async () => {
    const statePath = join(folder, 'state');
    const place = ['--state-path', statePath, '--host', 'metadata-2'];
    const up = NeutrinoProcess.start('up', '--bind-port', '0', ...place, ...metadataIni());
    const url = await up.url();
    expect(up.stdout).toContain('L2 agent, DHCP agent, and metadata agent of host metadata-2');
    await expectMetadata(url, join(statePath, 'metadata_proxy'), 'metadata-2');
    await up.kill();
    expect(existsSync(join(statePath, 'metadata_proxy'))).toBe(true);
    expect((await neutrino('down', '--purge', '--yes', ...place)).code).toBe(0);
    expect(existsSync(statePath)).toBe(false);
  });

  it.skipIf(!existsSync('/usr/sbin/haproxy') || nativeObstacle() !== undefined)(
    'answers a machine on 169.254.169.254 in its isolated network, by either proxy, which replaces the other (needs haproxy)',
    async () => {
      const statePath = join(folder, 'state');
      const place = ['--state-path', statePath];
      const start = (metadata_proxy: string) => {
        const isolated = file('dhcp_agent.ini', { DEFAULT: { enable_isolated_metadata: true, metadata_proxy } });
        const words = [...place, '--host', 'metadata-3', ...metadataIni(), ...isolated];
        return NeutrinoProcess.start('up', '--bind-port', '0', ...words);
      };
      let up = start('native');
      try {
        const api = new ApiClient(await up.url());
        const network = await api.create('network', { name: 'n' });
        await api.create('subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24', gateway_ip: null });
        const booted = await neutrino('vm', 'boot', 'vm1', '--network', 'n', '--json', ...place);
        expect(booted).toMatchObject({ code: 0 });
        const { id } = JSON.parse(booted.stdout) as { id: string };
        const [port] = await api.ports(`device_id=${id}`);
        const url = 'http://169.254.169.254/openstack/latest/meta_data.json';
        const spoofed = ['-H', 'X-Neutron-Router-ID: x', '-H', 'X-Forwarded-For: 10.0.0.99', '-H', 'X-Instance-ID: x'];
        const curl = ['curl', '-sS', '--retry', '10', '--retry-all-errors', '--retry-delay', '1', ...spoofed, url];
        const ask = async () => {
          const { stdout } = await run(['ip', 'netns', 'exec', guestNamespace(id), ...curl], { timeoutMs: 60_000 });
          expect(stdout).toBe('/openstack/latest/meta_data.json');
          expect(nova.saw.at(-1)?.headers).toMatchObject({
            'x-instance-id': id,
            'x-tenant-id': port?.project_id,
            'x-forwarded-for': port?.fixed_ips[0]?.ip_address,
          });
        };
        const files = [
          join(statePath, 'ns-metadata-proxy/native.pid'),
          join(statePath, `external/pids/${network.id}.pid.haproxy`),
        ];
        const serving = (...expected: readonly boolean[]) =>
          waitFor('the proxy to be the other one', () => files.map(existsSync).join() === expected.join(), 20_000);
        await ask();
        await serving(true, false);
        await up.kill();
        up = start('haproxy');
        await serving(false, true);
        await ask();
        await up.kill();
        up = start('native');
        await serving(true, false);
        await ask();
      } finally {
        await up.kill();
        const down = await neutrino('down', '--purge', '--yes', ...place, '--host', 'metadata-3');
        expect(down.stdout).toMatch(/metadata proxies \d+/);
      }
      expect(existsSync(statePath)).toBe(false);
    },
  );
});
