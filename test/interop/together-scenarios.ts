import { describe, expect, test } from 'vitest';
import type { PortDocument } from '../../src/rpc/documents.ts';
import type { ApiClient } from '../support/api-client.ts';
import type { AgentHost } from './agent-host.ts';
import { awaitServed, awaitSettled, awaitUnserved, dhcpLines, dnsmasqPid, eventually, LEASE_MS } from './dhcp-facts.ts';

/** A server with `dhcp_agents_per_network = 2` and two hosts, one with a stock DHCP agent, one with Neutrino's. */
export interface TwoHosts {
  readonly api: ApiClient;
  readonly stock: AgentHost;
  readonly neutrino: AgentHost;
}

const FILES = ['host', 'opts', 'addn_hosts'];

/** Two agents of different implementations that serve one network. */
export function describeTogether(parts: () => TwoHosts): void {
  const hosts = () => [parts().stock, parts().neutrino] as const;
  const addressOf = (port: PortDocument) => port.fixed_ips[0]?.ip_address;

  /**
   * Returns the lines of a file with sorted DNS servers, because each agent lists them in the order in which it learned of their
   * ports.
   */
  async function comparable(on: AgentHost, network: string, name: string): Promise<readonly string[]> {
    const lines = await dhcpLines(on, network, name);
    return lines.map((line) =>
      line.replace(/(?<=option:dns-server,).*/, (servers) => servers.split(',').toSorted().join(',')),
    );
  }

  /** Returns the differences between the two agents' files for a network, and between them and its ports. */
  async function differences(network: string): Promise<readonly string[]> {
    const [one, two] = hosts();
    const ports = (await parts().api.ports(`network_id=${network}`)).filter(
      ({ device_owner }) => device_owner !== 'network:dhcp',
    );
    const wanted = ports.flatMap(({ mac_address, fixed_ips }) =>
      fixed_ips.map(({ ip_address }) => `${mac_address} ${ip_address}`),
    );
    const found: string[] = [];
    for (const name of FILES) {
      const [left, right] = [await comparable(one, network, name), await comparable(two, network, name)];
      found.push(...left.filter((line) => !right.includes(line)).map((line) => `${one.host.name} ${name}: ${line}`));
      found.push(...right.filter((line) => !left.includes(line)).map((line) => `${two.host.name} ${name}: ${line}`));
      if (name !== 'host') continue;
      const told = left.map((line) => line.split(',')).map(([mac, , ip]) => `${mac} ${ip}`);
      found.push(...wanted.filter((port) => !told.includes(port)).map((port) => `missing: ${port}`));
      found.push(...told.filter((port) => !wanted.includes(port)).map((port) => `too many: ${port}`));
    }
    return found;
  }

  /** Waits until both agents' files agree on the network and all its ports. */
  async function agree(network: string): Promise<void> {
    let last: readonly string[] = [];
    await eventually(`the files of both agents for network ${network} to agree`, async () => {
      last = await differences(network);
      return last.length === 0;
    }).catch((error: Error) => {
      throw new Error(`${error.message}:\n${last.join('\n')}`);
    });
  }

  async function leaseOn(on: AgentHost, port: PortDocument) {
    const guest = await on.boot(port);
    try {
      return await guest.lease('eth0', LEASE_MS);
    } finally {
      await guest.stop();
    }
  }

  /** Returns the address of the agent's DHCP port on the network. */
  async function serverAddress(on: AgentHost, network: string): Promise<string | undefined> {
    const ports = await parts().api.ports(`network_id=${network}&device_owner=network:dhcp`);
    const port = ports.find((one) => one['binding:host_id'] === on.host.name);
    return port && addressOf(port);
  }

  /** Stops the agent of a host and its dnsmasq of a network, so that nothing on that host replies. */
  async function silence(on: AgentHost, network: string): Promise<void> {
    await on.dhcp.shutDown();
    const pid = await dnsmasqPid(on, network);
    if (pid !== undefined) await on.host.run('kill', '-9', String(pid));
    await awaitUnserved(on, network);
  }

  describe('a network on both agents', () => {
    test('is served by both, each with its own port, with the same files through creates, updates and deletes', async () => {
      const { api, stock, neutrino } = parts();
      const network = await api.network(
        {
          cidr: '10.61.0.0/24',
          allocation_pools: [{ start: '10.61.0.100', end: '10.61.0.199' }],
          host_routes: [{ destination: '10.97.0.0/16', nexthop: '10.61.0.9' }],
        },
        {
          cidr: '10.61.1.0/24',
          allocation_pools: [{ start: '10.61.1.100', end: '10.61.1.199' }],
          dns_nameservers: ['10.61.1.53'],
        },
      );
      const ports = [
        await api.machinePort(network, stock.host.name),
        await api.machinePort(network, neutrino.host.name, {
          extra_dhcp_opts: [{ opt_name: 'ntp-server', opt_value: '10.61.0.77' }],
        }),
        await api.machinePort(network, neutrino.host.name, {
          fixed_ips: [{ ip_address: '10.61.0.20' }, { ip_address: '10.61.1.20' }],
        }),
      ] as const;
      expect(await api.dhcpHosts(network)).toEqual([neutrino.host.name, stock.host.name].toSorted());
      for (const on of hosts()) await awaitServed(on, network);
      await agree(network);
      expect((await leaseOn(stock, ports[0])).address).toBe(addressOf(ports[0]));
      expect((await leaseOn(neutrino, ports[1])).address).toBe(addressOf(ports[1]));
      const servers = await Promise.all(hosts().map((on) => serverAddress(on, network)));
      expect(new Set(servers).size).toBe(2);

      await api.update('port', ports[0].id, { fixed_ips: [{ ip_address: '10.61.1.30' }] });
      await api.update('port', ports[1].id, { extra_dhcp_opts: [{ opt_name: 'ntp-server', opt_value: '10.61.0.78' }] });
      await api.delete('port', ports[2].id);
      await agree(network);
      expect(await dhcpLines(stock, network, 'host')).toContainEqual(expect.stringContaining('10.61.1.30'));
      expect(await dhcpLines(neutrino, network, 'opts')).toContainEqual(expect.stringContaining('10.61.0.78'));
    });

    test('is served by either one while the other is stopped; the other catches up after its restart', async () => {
      const { api } = parts();
      const network = await api.network('10.62.0.0/24');
      for (const on of hosts()) await awaitServed(on, network);
      for (const [silent, other] of [hosts(), hosts().toReversed()] as [AgentHost, AgentHost][]) {
        await agree(network);
        await silence(silent, network);
        const port = await api.machinePort(network, silent.host.name);
        // The machine is on the host of the stopped agent: the reply comes from the other host.
        const lease = await leaseOn(silent, port);
        expect([lease.address, lease.server]).toEqual([addressOf(port), await serverAddress(other, network)]);
        await silent.dhcp.start();
        await awaitServed(silent, network);
        await agree(network);
      }
    });

    test('is served by neither after its deletion, and leaves nothing behind', async () => {
      const { api } = parts();
      const network = await api.network('10.63.0.0/24');
      for (const on of hosts()) await awaitServed(on, network);
      await awaitSettled(api, network, 2);
      await api.delete('network', network);
      for (const on of hosts()) {
        await awaitUnserved(on, network);
        await eventually(
          `namespace and files to be gone from ${on.host.name}`,
          async () =>
            (await on.host.tryRun('ls', `${on.statePath}/dhcp/${network}`)).exitCode !== 0 &&
            (await on.host.tryRun('ls', `/run/netns/qdhcp-${network}`)).exitCode !== 0,
        );
      }
    });
  });
}
