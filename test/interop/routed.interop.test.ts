import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PortDocument } from '../../src/rpc/documents.ts';
import type { AgentHost, Side } from './agent-host.ts';
import { type Cloud, type RunningServer, startCloud } from './cloud.ts';
import { awaitServed, dhcpLines, dnsmasqPid, eventually, LEASE_MS } from './dhcp-facts.ts';
import { stockObstacle } from './stock-packages.ts';

const obstacle = stockObstacle();

/** Of the two segments of a routed network, the host reaches the first. */
const PHYSICAL = ['rack', 'elsewhere'] as const;

describe.skipIf(obstacle !== undefined).each<{ readonly server: Side }>([{ server: 'neutrino' }, { server: 'stock' }])(
  `a routed network of a $server server${obstacle ? `: ${obstacle}` : ''}`,
  ({ server }) => {
    let cloud: Cloud;
    let running: RunningServer;
    let on: AgentHost;
    beforeAll(async () => {
      cloud = await startCloud();
      running = await cloud.server(
        server,
        server === 'stock' ? { DEFAULT: { service_plugins: 'router,segments' } } : {},
      );
      on = await cloud.agents(running.api, 'one', { dhcp: 'stock', l2: 'neutrino', physical: PHYSICAL[0] });
    });
    afterAll(() => cloud?.dispose());

    test('is served alike by a stock DHCP agent and by ours, which takes its dnsmasq over', async () => {
      const { api } = running;
      const { id: network } = await api.create('network', {
        name: 'routed',
        port_security_enabled: false,
        segments: PHYSICAL.map((name) => ({ 'provider:network_type': 'flat', 'provider:physical_network': name })),
      });
      const { segments } = await api.get<{ segments: { id: string; physical_network: string }[] }>(
        `segments?network_id=${network}`,
      );
      const subnets: string[] = [];
      for (const [at, name] of PHYSICAL.entries()) {
        const segment_id = segments.find((one) => one.physical_network === name)?.id;
        subnets.push(await api.subnet(network, { cidr: `10.7${at}.0.0/24`, segment_id }));
      }
      const near = await api.machinePort(network, '');
      expect([near.fixed_ips, (near as PortDocument & { ip_allocation?: string }).ip_allocation]).toEqual([
        [],
        'deferred',
      ]);
      const bound = await api.update('port', near.id, { 'binding:host_id': on.host.name });
      const port = bound as unknown as PortDocument;
      expect(port.fixed_ips).toMatchObject([{ subnet_id: subnets[0] }]);
      const far = await api.machinePort(network, '', { fixed_ips: [{ subnet_id: subnets[1] }] });

      const pid = await awaitServed(on, network);
      const served = async () => {
        const host = await dhcpLines(on, network, 'host');
        return [port, far].every(({ mac_address }) => host.some((line) => line.startsWith(mac_address)));
      };
      await eventually('both ports in the host file', served);
      const command = await on.host.run('cat', `/proc/${pid}/cmdline`);
      for (const id of subnets) expect(command).toContain(`--dhcp-range=set:subnet-${id},`);
      const guest = await on.boot(port);
      try {
        const lease = await guest.lease('eth0', LEASE_MS);
        expect(lease.address).toBe(port.fixed_ips[0]?.ip_address);
        // Routes between the segments lead over the gateways.
        const peer = { destination: '10.71.0.0/24', gateway: '10.70.0.1' };
        expect(lease.staticRoutes).toContainEqual(peer);
        const texts = async () =>
          Object.fromEntries(
            await Promise.all(
              ['host', 'addn_hosts', 'opts'].map(async (name) => [
                name,
                (await dhcpLines(on, network, name)).toSorted(),
              ]),
            ),
          );
        const before = await texts();
        await on.swapDhcp('neutrino');
        await eventually('our agent to have looked', async () =>
          (await api.agents(`host=${on.host.name}&agent_type=DHCP agent`)).some(
            ({ configurations }) => configurations.networks === 1 && configurations.log_agent_heartbeats === false,
          ),
        );
        expect((await guest.renew('eth0', LEASE_MS)).address).toBe(lease.address);
        expect(await texts()).toEqual(before);
        expect(await dnsmasqPid(on, network)).toBeDefined();
        const [ports] = [await api.ports(`network_id=${network}&device_owner=network:dhcp`)];
        expect(ports).toMatchObject([{ fixed_ips: [{ subnet_id: subnets[0] }] }]);
      } finally {
        await guest.stop();
      }
    });
  },
);
