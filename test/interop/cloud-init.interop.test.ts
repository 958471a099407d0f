import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { guestNamespace } from '../../src/lab/namespace-guest.ts';
import { METADATA } from '../../src/lab/qemu/initramfs.ts';
import { nativeObstacle } from '../../src/linux/native.ts';
import { run } from '../../src/linux/run.ts';
import { tapName } from '../../src/net/device-names.ts';
import { waitFor } from '../../src/time/wait.ts';
import { ApiClient } from '../support/api-client.ts';
import { NeutrinoProcess, neutrino } from '../support/neutrino.ts';
import { prepareKernel, prepareUserland, runInMachine, runInNamespace } from './cloud-init/userland.ts';

const HOST = 'cloud-init-1';
const KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'A'.repeat(43)} me@home`;
const USER_DATA = `#cloud-config
write_files: [{path: /etc/written, content: by user data}]
runcmd: [[sh, -c, "echo by runcmd > /etc/ran"]]
`;

/** Needs downloads: cloud-init and, for the virtual machine, Debian's general kernel. */
const obstacle =
  process.getuid?.() !== 0
    ? 'needs root'
    : existsSync('/usr/bin/apt-get')
      ? nativeObstacle()
      : 'needs the packages of Debian';

describe.skipIf(obstacle !== undefined)(
  `cloud-init of Debian, without a Nova (${obstacle ?? 'OpenStack datasource'})`,
  () => {
    let folder: string;
    let place: string[];
    let api: ApiClient;
    let networks: readonly string[];

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'neutrino-cloud-init-'));
      place = ['--state-path', join(folder, 'state')];
      writeFileSync(join(folder, 'user-data'), USER_DATA);
      writeFileSync(join(folder, 'home.pub'), `${KEY}\n`);
      await prepareUserland(folder);
      const up = NeutrinoProcess.start('up', '--bind-port', '0', '--host', HOST, ...place);
      api = new ApiClient(await up.url());
      const dynamic = await api.create('network', { name: 'dynamic' });
      await api.create('subnet', { network_id: dynamic.id, ip_version: 4, cidr: '10.61.0.0/24' });
      const fixed = await api.create('network', { name: 'fixed' });
      const host_routes = [{ destination: '172.30.0.0/16', nexthop: '10.62.0.9' }];
      const subnet = { network_id: fixed.id, ip_version: 4, cidr: '10.62.0.0/20', gateway_ip: null, host_routes };
      await api.create('subnet', { ...subnet, enable_dhcp: false });
      networks = [dynamic.id, fixed.id];
    });
    afterAll(async () => {
      if (place) await neutrino('vm', 'delete', '--all', ...place);
      await NeutrinoProcess.killAll();
      if (place) await neutrino('down', '--purge', '--yes', '--host', HOST, ...place);
      rmSync(folder, { recursive: true, force: true });
    });

    /** What cloud-init must have made of the machine with these ports. */
    const expected = async (id: string, name: string) => {
      const ports = await api.ports(`device_id=${id}`);
      const on = (network: string | undefined) =>
        ports.find((port) => port.network_id === network)?.fixed_ips[0]?.ip_address ?? '';
      return {
        datasource: expect.stringContaining('DataSourceOpenStack'),
        errors: [],
        instance: id,
        hostname: name,
        keys: expect.stringContaining(KEY),
        written: 'by user data',
        ran: 'by runcmd\n',
        // The first by DHCP, the second from network_data.json.
        addresses: { lo: ['127.0.0.1/8'], eth0: [`${on(networks[0])}/24`], eth1: [`${on(networks[1])}/20`] },
        routes: expect.arrayContaining(['172.30.0.0/16 10.62.0.9 eth1', 'default 10.61.0.1 eth0']),
      };
    };

    test('configures host name, keys and network in a namespace', async () => {
      const files = ['--user-data', join(folder, 'user-data'), '--key', join(folder, 'home.pub')];
      const words = ['Web 1', '--network', 'dynamic', '--network', 'fixed', ...files, '--json', ...place];
      const booted = await neutrino('vm', 'boot', ...words);
      expect(booted).toMatchObject({ code: 0 });
      const { id, folder: own } = JSON.parse(booted.stdout) as { id: string; folder: string };
      // As a machine that has just been switched on: cloud-init asks for an address itself.
      process.kill(Number(readFileSync(join(own, 'eth0.pid'), 'utf8')), 'SIGKILL');
      await run(['ip', '-n', guestNamespace(id), 'addr', 'flush', 'dev', 'eth0']);
      const before = [hostname(), existsSync('/etc/cloud'), readFileSync('/etc/passwd', 'utf8')];
      expect(await runInNamespace(folder, guestNamespace(id))).toEqual(await expected(id, 'web-1'));
      expect([hostname(), existsSync('/etc/cloud'), readFileSync('/etc/passwd', 'utf8')]).toEqual(before);
    });

    test.skipIf(!existsSync('/usr/bin/qemu-system-x86_64'))(
      'the virtual machine of `vm boot --qemu` has its metadata, too (needs qemu-system-x86)',
      { timeout: 600_000 },
      async () => {
        const words = [
          'Lab 2',
          '--qemu',
          '--network',
          'dynamic',
          '--key',
          join(folder, 'home.pub'),
          '--json',
          ...place,
        ];
        const booted = await neutrino('vm', 'boot', ...words);
        expect(booted).toMatchObject({ code: 0 });
        const { id, folder: own } = JSON.parse(booted.stdout) as { id: string; folder: string };
        const line = new RegExp(`${METADATA} (\\S+)\r?\n`);
        const reported = () => line.exec(readFileSync(join(own, 'console.log'), 'latin1'))?.[1];
        const text = Buffer.from(await waitFor('its metadata', reported, 60_000), 'base64').toString('utf8');
        expect(JSON.parse(text)).toMatchObject({
          ...{ uuid: id, name: 'Lab 2', hostname: 'lab-2.openstacklocal', public_keys: { home: KEY } },
        });
      },
    );

    test.skipIf(!existsSync('/usr/bin/qemu-system-x86_64'))(
      'configures a virtual machine (needs qemu-system-x86)',
      { timeout: 600_000 },
      async () => {
        await prepareKernel(folder);
        const id = randomUUID();
        const owned = { device_id: id, device_owner: 'compute:nova', 'binding:host_id': HOST };
        const ports = [];
        for (const network_id of networks) ports.push(await api.create('port', { network_id, ...owned }));
        const public_keys = { home: KEY };
        const user_data = Buffer.from(USER_DATA).toString('base64');
        const stored = await fetch(`${api.url}/neutrino/v1/machines`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            machine: { device_id: id, name: 'db', project_id: ports[0]?.project_id, user_data, public_keys },
          }),
        });
        expect(stored.status).toBe(201);
        const nics = ports.map((port) => ({ device: tapName(port.id), mac: String(port.mac_address) }));
        try {
          for (const { device } of nics) {
            await run(['ip', 'tuntap', 'add', 'dev', device, 'mode', 'tap']);
            await run(['ip', 'link', 'set', 'dev', device, 'up']);
          }
          for (const { id: port } of ports)
            await waitFor(`port ${port}`, async () => (await api.port(port)).status === 'ACTIVE' || undefined, 30_000);
          expect(await runInMachine(folder, nics)).toEqual(await expected(id, 'db'));
        } finally {
          for (const { device } of nics) await run(['ip', 'link', 'delete', device], { okCodes: [0, 1] });
        }
      },
    );
  },
);
