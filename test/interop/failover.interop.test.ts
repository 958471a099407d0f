import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/time/wait.ts';
import type { ApiClient } from '../support/api-client.ts';
import type { AgentHost, Side } from './agent-host.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { DOWN_SECONDS } from './config-files.ts';
import { awaitServed, awaitUnserved, dnsmasqPid, LEASE_MS } from './dhcp-facts.ts';
import { expectCleanLogs } from './logs.ts';
import { stockObstacle } from './stock-packages.ts';

const obstacle = stockObstacle();
/** A stock server checks every half `agent_down_time`, after a random delay of up to two intervals, and waits twice that time. */
const MOVED_MS = DOWN_SECONDS * 5_000;

for (const side of ['neutrino', 'stock'] as const satisfies Side[]) {
  const whose = side === 'stock' ? 'a stock server' : "Neutrino's server";
  const name = `${whose} with a stock DHCP agent and Neutrino's, one for each network`;
  describe.skipIf(obstacle !== undefined)(`${name}${obstacle ? `: ${obstacle}` : ''}`, () => {
    let cloud: Cloud;
    let api: ApiClient;
    let hosts: readonly [AgentHost, AgentHost];
    beforeAll(async () => {
      cloud = await startCloud();
      ({ api } = await cloud.server(side));
      hosts = await Promise.all([
        cloud.agents(api, 'one', { dhcp: 'stock', l2: 'stock' }),
        cloud.agents(api, 'two', { dhcp: 'neutrino', l2: 'neutrino' }),
      ]);
    });
    afterAll(() => cloud?.dispose());

    const dhcpPort = async (network: string) => {
      const [port, ...more] = await api.ports(`network_id=${network}&device_owner=network:dhcp`);
      expect(more).toEqual([]);
      return port;
    };

    test('moves a network from a dead agent to the other, in either direction, with its port and address', async () => {
      const network = await api.network('10.71.0.0/24');
      const first = await waitFor(
        'an agent of the network',
        async () => {
          const [name] = await api.dhcpHosts(network);
          return hosts.find(({ host }) => host.name === name);
        },
        { timeoutMs: 60_000 },
      );
      const second = hosts[0] === first ? hosts[1] : hosts[0];
      await awaitServed(first, network);
      for (const [dead, living] of [
        [first, second],
        [second, first],
      ] as const) {
        const before = await dhcpPort(network);
        const port = await api.machinePort(network, living.host.name);
        await dead.dhcp.kill();
        const pid = await dnsmasqPid(dead, network);
        await dead.host.run('kill', '-9', String(pid));
        await waitFor(
          `the network to be on ${living.host.name}`,
          async () => (await api.dhcpHosts(network)).includes(living.host.name) || undefined,
          { timeoutMs: MOVED_MS, intervalMs: 500 },
        );
        await awaitServed(living, network);
        const guest = await living.boot(port);
        try {
          expect((await guest.lease('eth0', LEASE_MS)).address).toBe(port.fixed_ips[0]?.ip_address);
        } finally {
          await guest.stop();
        }
        const after = await dhcpPort(network);
        expect([after?.id, after?.fixed_ips]).toEqual([before?.id, before?.fixed_ips]);
        expect(after?.['binding:host_id']).toBe(living.host.name);
        // The returning agent drops the network that it lost.
        await dead.dhcp.start();
        await api.awaitAgent(dead.host.name, 'DHCP agent');
        await awaitUnserved(dead, network);
      }
    });

    test('no side has logged an error', () => expectCleanLogs(cloud));
  });
}
