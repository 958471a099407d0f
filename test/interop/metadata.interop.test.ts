import { createHmac } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NativeProxies } from '../../src/agents/dhcp/metadata/native/native-proxies.ts';
import { nativeObstacle } from '../../src/linux/native.ts';
import { ProxySite } from '../agents/dhcp/metadata/proxy-site.ts';
import { askSocket } from '../support/metadata-socket.ts';
import { type StandInNova, sendText, startNova } from '../support/nova.ts';
import type { Side } from './agent-host.ts';
import { type Cloud, type MetadataHost, type RunningServer, startCloud } from './cloud.ts';
import { METADATA_SECRET } from './config-files.ts';
import { expectCleanLogs } from './logs.ts';
import { stockObstacle } from './stock-packages.ts';

const obstacle = stockObstacle();

const COMBINATIONS: readonly (readonly [string, Side, Side])[] = [
  ["a stock metadata agent under Neutrino's server", 'neutrino', 'stock'],
  ["Neutrino's metadata agent under a stock server", 'stock', 'neutrino'],
];

describe.each(COMBINATIONS)('%s', (_, serverSide, agentSide) => {
  describe.skipIf(obstacle !== undefined)(obstacle ?? 'answers the same', () => {
    let cloud: Cloud;
    let server: RunningServer;
    let nova: StandInNova;
    let agent: MetadataHost;
    let network: string;
    let router: string;
    beforeAll(async () => {
      cloud = await startCloud();
      server = await cloud.server(serverSide);
      nova = await startNova({ address: cloud.address });
      agent = await cloud.metadataAgent(server.api, 'meta', agentSide, nova.port);
      network = (await server.api.create('network', { name: 'n' })).id;
      const subnet = await server.api.create('subnet', { network_id: network, ip_version: 4, cidr: '10.0.0.0/24' });
      const made = await server.api.post<{ router: { id: string } }>('routers', {
        router: { name: 'r', tenant_id: subnet.tenant_id },
      });
      router = made.router.id;
      const attached = await server.api.request('PUT', `routers/${router}/add_router_interface`, {
        subnet_id: subnet.id,
      });
      expect(attached.status).toBe(200);
    });
    afterAll(async () => {
      await nova?.close();
      await cloud?.dispose();
    });

    const ask = (headers: Readonly<Record<string, string>>, path = '/latest/meta-data/hostname') =>
      askSocket(agent.socket, { path, headers });

    test('by network and router, by address and link-local address', async () => {
      const ip_address = '10.0.0.50';
      const port = await server.api.create('port', {
        network_id: network,
        device_id: 'e1a5c2a4-0b5a-4c0d-9d0f-000000000001',
        mac_address: 'fa:16:3e:12:34:56',
        fixed_ips: [{ ip_address }],
      });
      for (const scope of [{ 'X-Neutron-Network-ID': network }, { 'X-Neutron-Router-ID': router }])
        for (const address of [ip_address, `::ffff:${ip_address}`, 'fe80::f816:3eff:fe12:3456'])
          expect(await ask({ ...scope, 'X-Forwarded-For': address }), address).toMatchObject({
            status: 200,
            text: '/latest/meta-data/hostname',
          });
      for (const { headers } of nova.saw)
        expect(headers).toMatchObject({
          'x-instance-id': port.device_id,
          'x-tenant-id': port.tenant_id,
          'x-instance-id-signature': createHmac('sha256', METADATA_SECRET).update(String(port.device_id)).digest('hex'),
        });
      expect(nova.saw).toHaveLength(6);
    });

    test.skipIf(nativeObstacle() !== undefined)("through Neutrino's proxy in the network's namespace", async () => {
      const ip_address = '10.0.0.60';
      const port = await server.api.create('port', {
        network_id: network,
        device_id: 'e1a5c2a4-0b5a-4c0d-9d0f-000000000002',
        fixed_ips: [{ ip_address }],
      });
      const site = await ProxySite.make();
      site.config = { ...site.config, DEFAULT: { ...site.config.DEFAULT, metadata_proxy_socket: agent.socket } };
      const proxies = new NativeProxies({ config: site.config, log: pino({ level: 'silent' }) });
      try {
        await site.inside('ip', 'address', 'add', `${ip_address}/24`, 'dev', 'dev0');
        for (const routerId of [undefined, router]) {
          await proxies.serve(site.wanted({ networkId: network, routerId }));
          const spoofed = ['-H', 'X-Forwarded-For: 10.0.0.50', '-H', 'X-Neutron-Network-ID: x'];
          const reply = await site.get(undefined, '--interface', ip_address, ...spoofed);
          expect(reply).toEqual({ status: 200, text: '/x' });
          expect(nova.saw.at(-1)?.headers).toMatchObject({ 'x-instance-id': port.device_id });
        }
      } finally {
        await proxies.stop(network);
        await proxies.close();
        await site.remove();
      }
    });

    test('404 to strangers, and to requests with both headers', async () => {
      const [before, address] = [nova.saw.length, { 'X-Forwarded-For': '10.0.0.50' }];
      for (const headers of [
        { 'X-Neutron-Network-ID': network, 'X-Forwarded-For': '10.0.0.51' },
        { 'X-Neutron-Network-ID': router, ...address },
        { 'X-Neutron-Network-ID': network, 'X-Neutron-Router-ID': router, ...address },
      ])
        expect((await ask(headers)).status).toBe(404);
      expect(nova.saw).toHaveLength(before);
    });

    test.each([400, 403, 404, 409, 500])("Nova's %i", async (status) => {
      nova.answer((_, res) => sendText(res, status, 'x'));
      expect((await ask({ 'X-Neutron-Network-ID': network, 'X-Forwarded-For': '10.0.0.50' })).status).toBe(status);
    });

    test("and Neutrino's agent answers itself with metadata_provider = local", async () => {
      const [id, ip_address] = ['e1a5c2a4-0b5a-4c0d-9d0f-000000000003', '10.0.0.70'];
      const { project_id } = await server.api.create('port', {
        ...{ network_id: network, device_id: id, name: 'web', fixed_ips: [{ ip_address }] },
      });
      // Of another project, with the same device_id.
      await server.api.create('port', { network_id: network, device_id: id, tenant_id: 'f1'.repeat(16) });
      const local = { DEFAULT: { metadata_provider: 'local' } };
      const { socket } = await cloud.metadataAgent(server.api, 'local', 'neutrino', nova.port, local);
      const headers = { 'X-Neutron-Network-ID': network, 'X-Forwarded-For': ip_address };
      const json = async (name: string) =>
        JSON.parse((await askSocket(socket, { path: `/openstack/latest/${name}.json`, headers })).text) as object;
      const before = nova.saw.length;
      const hostname = 'web.openstacklocal';
      expect(await json('meta_data')).toMatchObject({ uuid: id, name: 'web', hostname, project_id });
      expect(await json('network_data')).toMatchObject({
        links: [expect.anything()],
        networks: [{ type: 'ipv4_dhcp', network_id: network }],
      });
      const password = { path: '/openstack/latest/password', method: 'POST', body: 'x', headers };
      expect((await askSocket(socket, password)).status).toBe(serverSide === 'stock' ? 404 : 200);
      expect(nova.saw).toHaveLength(before);
    });

    test('and is listed as an agent', async () => {
      const { agents } = await server.api.get<{ agents: object[] }>('agents?agent_type=Metadata%20agent&host=meta');
      expect(agents).toMatchObject([
        {
          ...{ host: 'meta', binary: 'neutron-metadata-agent', topic: 'N/A', alive: true, availability_zone: null },
          configurations: {
            metadata_proxy_socket: agent.socket,
            nova_metadata_host: cloud.address,
            nova_metadata_port: nova.port,
            log_agent_heartbeats: false,
          },
        },
      ]);
    });

    // A stock server logs that it lacks Neutrino's method.
    test('no side has logged an error', () => expectCleanLogs(cloud, /NoSuchMethod: \S.* method get_machine/));
  });
});
