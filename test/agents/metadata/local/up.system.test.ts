import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guestNamespace } from '../../../../src/lab/namespace-guest.ts';
import { nativeObstacle } from '../../../../src/linux/native.ts';
import { run } from '../../../../src/linux/run.ts';
import { ApiClient } from '../../../support/api-client.ts';
import { NeutrinoProcess, neutrino } from '../../../support/neutrino.ts';

const KEY = `ssh-ed25519 ${'A'.repeat(68)} me@home`;
const obstacle = process.getuid?.() !== 0 ? 'needs root' : nativeObstacle();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-local-metadata-'));
});
afterEach(async () => {
  await NeutrinoProcess.killAll();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(obstacle !== undefined)(
  `metadata of \`up\` without configuration (${obstacle ?? 'without a Nova'})`,
  () => {
    it('reaches a machine of `vm boot`, beside a router too, until it is deleted', async () => {
      const statePath = join(folder, 'state');
      const place = ['--state-path', statePath];
      const [userData, key] = [join(folder, 'user-data'), join(folder, 'id_ed25519.pub')];
      writeFileSync(userData, '#cloud-config\n');
      writeFileSync(key, `${KEY}\n`);
      const up = NeutrinoProcess.start('up', '--bind-port', '0', '--host', 'metadata-5', ...place);
      try {
        const api = new ApiClient(await up.url());
        const network = await api.create('network', { name: 'n' });
        const subnet = await api.create('subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' });
        const { router } = await api.post<{ router: { id: string } }>('routers', { router: { name: 'r' } });
        await api.request('PUT', `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
        const boot = (...more: string[]) => neutrino('vm', 'boot', ...more, '--network', 'n', '--json', ...place);
        const refused = await boot('vm0', '--key', userData);
        expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('must contain OpenSSH public keys') });
        const booted = await boot('Web 1', '--user-data', userData, '--key', key);
        expect(booted).toMatchObject({ code: 0 });
        const { id } = JSON.parse(booted.stdout) as { id: string };
        const ask = async (path: string, ...more: string[]) => {
          const curl = ['curl', '-sS', '--path-as-is', '--retry', '10', '--retry-all-errors', '--retry-delay', '1'];
          const url = `http://169.254.169.254${path}`;
          const words = ['netns', 'exec', guestNamespace(id), ...curl, ...more, url];
          return (await run(['ip', ...words], { timeoutMs: 60_000 })).stdout;
        };
        expect(JSON.parse(await ask('/openstack/latest/meta_data.json'))).toMatchObject({
          ...{ uuid: id, name: 'Web 1', hostname: 'web-1.openstacklocal', public_keys: { id_ed25519: KEY } },
        });
        expect(await ask('/latest/user-data')).toBe('#cloud-config\n');
        const code = ['-o', '/dev/null', '-w', '%{http_code}'];
        for (const path of ['/latest/%2e%2e/%2e%2e/etc/passwd', '/latest/x%00y', `/${'x'.repeat(8_000)}`])
          expect(await ask(path, ...code), path.slice(0, 40)).toMatch(/^4(00|04)$/);
        const machines = async () =>
          ((await (await fetch(`${api.url}/neutrino/v1/machines`)).json()) as { machines: unknown[] }).machines;
        expect(await machines()).toHaveLength(1);
        expect((await neutrino('vm', 'delete', 'Web 1', ...place)).code).toBe(0);
        expect(await machines()).toEqual([]);
      } finally {
        await up.kill();
        await neutrino('down', '--purge', '--yes', ...place, '--host', 'metadata-5');
      }
    });
  },
);
