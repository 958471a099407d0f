import { describe, expect, test } from 'vitest';
import type { PortDocument } from '../../src/rpc/documents.ts';
import type { ApiClient } from '../support/api-client.ts';
import type { HostGuest } from '../support/hosts/test-host.ts';
import type { AgentHost } from './agent-host.ts';
import {
  awaitNoPort,
  awaitPort,
  awaitServed,
  awaitSettled,
  awaitUnserved,
  dhcpLines,
  dnsmasqPid,
  eventually,
  hasNamespace,
  LEASE_MS,
  renewedUntil,
} from './dhcp-facts.ts';

/** The environment of the scenarios: a server's API, and a host whose DHCP agent serves all networks. */
export interface OneHost {
  readonly api: ApiClient;
  readonly on: AgentHost;
}

/**
 * The scenarios of a DHCP agent and a server, from a first lease to a deleted network. They are identical for all
 * implementations; `parts` is called when a test runs.
 */
export function describeDhcpScenarios(parts: () => OneHost): void {
  /** Boots a machine for the current test. */
  async function withMachine<T>(ports: readonly PortDocument[], work: (guest: HostGuest) => Promise<T>): Promise<T> {
    const guest = await parts().on.boot(...ports);
    try {
      return await work(guest);
    } finally {
      await guest.stop();
    }
  }
  const leaseOf = (port: PortDocument) => withMachine([port], (guest) => guest.lease('eth0', LEASE_MS));
  const addressOf = (port: PortDocument) => port.fixed_ips[0]?.ip_address;

  describe('a machine', () => {
    test('gets its fixed IP and all options of its subnet, and its port goes DOWN, ACTIVE, DOWN', async () => {
      const { api, on } = parts();
      const network = await api.network({
        cidr: '10.11.0.0/22',
        dns_nameservers: ['10.11.0.53', '10.11.0.54'],
        host_routes: [{ destination: '10.99.0.0/16', nexthop: '10.11.0.9' }],
      });
      const port = await api.machinePort(network, on.host.name);
      expect(port.status).toBe('DOWN');
      await withMachine([port], async (guest) => {
        const lease = await guest.lease('eth0', LEASE_MS);
        expect(lease).toMatchObject({
          address: addressOf(port),
          mask: '255.255.252.0',
          broadcast: '10.11.3.255',
          routers: ['10.11.0.1'],
          dns: ['10.11.0.53', '10.11.0.54'],
          domain: 'openstacklocal',
          hostname: `host-${lease.address.replaceAll('.', '-')}`,
          mtu: 1450,
          leaseSeconds: 86_400,
        });
        for (const routes of [lease.staticRoutes, lease.msStaticRoutes]) {
          expect(routes).toContainEqual({ destination: '10.99.0.0/16', gateway: '10.11.0.9' });
          expect(routes).toContainEqual({ destination: '0.0.0.0/0', gateway: '10.11.0.1' });
        }
        await api.awaitActive(port.id);
        expect(await api.dhcpHosts(network)).toEqual([on.host.name]);
      });
      await eventually('the port to be DOWN', async () => (await api.port(port.id)).status === 'DOWN');
    });

    test('with two NICs on two networks gets an address on each; subnets of one network serve their own', async () => {
      const { api, on } = parts();
      const networks = [await api.network('10.12.0.0/24', '10.12.1.0/24'), await api.network('10.13.0.0/24')] as const;
      const ports = [
        await api.machinePort(networks[0], on.host.name, { fixed_ips: [{ ip_address: '10.12.1.20' }] }),
        await api.machinePort(networks[1], on.host.name),
      ];
      await withMachine(ports, async (guest) => {
        for (const [i, port] of ports.entries())
          expect((await guest.lease(`eth${i}`, LEASE_MS)).address).toBe(addressOf(port));
      });
    });

    test('whose port is deleted, or never existed, gets no reply; its address goes to the next port', async () => {
      const { api, on } = parts();
      const network = await api.network('10.14.0.0/24');
      const fixed = { fixed_ips: [{ ip_address: '10.14.0.20' }] };
      const port = await api.machinePort(network, on.host.name, fixed);
      expect((await leaseOf(port)).address).toBe('10.14.0.20');
      await api.delete('port', port.id);
      await awaitNoPort(on, port);
      const next = await api.machinePort(network, on.host.name, fixed);
      expect((await leaseOf(next)).address).toBe('10.14.0.20');
      await withMachine([{ ...next, mac_address: port.mac_address }], async (stranger) => {
        await expect(stranger.lease('eth0', 5_000)).rejects.toThrow('no DHCP lease');
      });
    });

    test('of a network with IPv4 and DHCPv6 gets its IPv4 address, and both are in the host file', async () => {
      const { api, on } = parts();
      const v6 = {
        ip_version: 6,
        cidr: 'fd00:15::/64',
        ipv6_address_mode: 'dhcpv6-stateful',
        ipv6_ra_mode: 'dhcpv6-stateful',
      };
      const network = await api.network('10.15.0.0/24', v6);
      const port = await api.machinePort(network, on.host.name);
      expect(port.fixed_ips).toHaveLength(2);
      await awaitPort(on, port);
      expect(port.fixed_ips.map(({ ip_address }) => ip_address)).toContain((await leaseOf(port)).address);
    });
  });

  describe('an update of a port', () => {
    test('of its address: the next lease contains it', async () => {
      const { api, on } = parts();
      const network = await api.network('10.21.0.0/24');
      const port = await api.machinePort(network, on.host.name, { fixed_ips: [{ ip_address: '10.21.0.20' }] });
      await withMachine([port], async (guest) => {
        expect((await guest.lease('eth0', LEASE_MS)).address).toBe('10.21.0.20');
        await api.update('port', port.id, { fixed_ips: [{ ip_address: '10.21.0.21' }] });
        await renewedUntil(guest, 'the new address', ({ address }) => address === '10.21.0.21');
      });
    });

    test('of its DHCP options: they are received, and no longer received after their removal', async () => {
      const { api, on } = parts();
      const network = await api.network('10.22.0.0/24');
      const port = await api.machinePort(network, on.host.name, {
        extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1300' }],
      });
      await withMachine([port], async (guest) => {
        expect((await guest.lease('eth0', LEASE_MS)).mtu).toBe(1300);
        await api.update('port', port.id, { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1280' }] });
        await renewedUntil(guest, 'MTU 1280', ({ mtu }) => mtu === 1280);
        await api.update('port', port.id, { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: null }] });
        await renewedUntil(guest, 'the MTU of its network', ({ mtu }) => mtu === 1450);
      });
    });

    test('of its MAC: the machine with the new one gets the address', async () => {
      const { api, on } = parts();
      const network = await api.network('10.23.0.0/24');
      // Not bound yet, because the MAC of a bound port cannot change.
      const port = await api.machinePort(network, '', {});
      await awaitPort(on, port);
      await api.update('port', port.id, { mac_address: 'fa:16:3e:23:23:23' });
      await awaitNoPort(on, port);
      await api.update('port', port.id, { 'binding:host_id': on.host.name });
      const changed = await api.port(port.id);
      await awaitPort(on, changed);
      expect((await leaseOf(changed)).address).toBe(addressOf(port));
    });

    test('of its administrative state: its machine still gets its address', async () => {
      const { api, on } = parts();
      const network = await api.network('10.24.0.0/24');
      const port = await api.machinePort(network, on.host.name, { admin_state_up: false });
      await awaitPort(on, port);
      await api.update('port', port.id, { admin_state_up: true });
      expect((await leaseOf(port)).address).toBe(addressOf(port));
    });
  });

  describe('a subnet', () => {
    test('added to a network, updated and deleted: every state is served', async () => {
      const { api, on } = parts();
      const network = await api.network('10.31.0.0/24');
      await api.machinePort(network, on.host.name);
      await awaitServed(on, network);
      const added = await api.subnet(network, {
        cidr: '10.31.1.0/24',
        dns_nameservers: ['10.31.1.53'],
        allocation_pools: [{ start: '10.31.1.100', end: '10.31.1.199' }],
      });
      const port = await api.machinePort(network, on.host.name, { fixed_ips: [{ subnet_id: added }] });
      await withMachine([port], async (guest) => {
        expect(await guest.lease('eth0', LEASE_MS)).toMatchObject({ address: addressOf(port), dns: ['10.31.1.53'] });
        await api.update('subnet', added, {
          dns_nameservers: ['10.31.1.54'],
          gateway_ip: '10.31.1.254',
          host_routes: [{ destination: '10.98.0.0/16', nexthop: '10.31.1.9' }],
        });
        const lease = await renewedUntil(guest, 'the new DNS server', ({ dns }) => dns[0] === '10.31.1.54');
        expect(lease.routers).toEqual(['10.31.1.254']);
        expect(lease.staticRoutes).toContainEqual({ destination: '10.98.0.0/16', gateway: '10.31.1.9' });
      });
      await api.delete('port', port.id);
      await api.delete('subnet', added);
      await eventually('the deleted subnet to be gone from the options', async () =>
        (await dhcpLines(on, network, 'opts')).every((line) => !line.includes('10.31.1.')),
      );
      await eventually('the DHCP port without an address of the deleted subnet', async () => {
        const [dhcp] = await api.ports(`network_id=${network}&device_owner=network:dhcp`);
        return dhcp?.fixed_ips.length === 1;
      });
      await awaitServed(on, network);
    });

    test('is served only while DHCP is enabled', async () => {
      const { api, on } = parts();
      const network = await api.network();
      const subnet = await api.subnet(network, { cidr: '10.32.0.0/24', enable_dhcp: false });
      const port = await api.machinePort(network, on.host.name);
      await api.update('subnet', subnet, { enable_dhcp: true });
      await awaitServed(on, network);
      expect((await leaseOf(port)).address).toBe(addressOf(port));
      await api.update('subnet', subnet, { enable_dhcp: false });
      await awaitUnserved(on, network);
    });

    test('without a free address is served once it has one', async () => {
      const { api, on } = parts();
      const network = await api.network();
      const subnet = await api.subnet(network, {
        cidr: '10.33.0.0/24',
        enable_dhcp: false,
        allocation_pools: [{ start: '10.33.0.10', end: '10.33.0.10' }],
      });
      const port = await api.machinePort(network, on.host.name);
      expect(addressOf(port)).toBe('10.33.0.10');
      await api.update('subnet', subnet, { enable_dhcp: true });
      // The agent's reaction to the server's failure to create its port: stock agents log a conflict.
      await eventually('the agent to be refused a port', async () =>
        /there is a conflict with its current state|IpAddressGenerationFailure/.test(
          // Stock programs log to standard output.
          `${on.dhcp.stderr}${on.dhcp.stdout}`,
        ),
      );
      await api.update('subnet', subnet, { allocation_pools: [{ start: '10.33.0.10', end: '10.33.0.20' }] });
      expect((await leaseOf(port)).address).toBe('10.33.0.10');
    });
  });

  describe('a network', () => {
    test('is served only while it is administratively up', async () => {
      const { api, on } = parts();
      const network = await api.network('10.41.0.0/24');
      const port = await api.machinePort(network, on.host.name);
      await awaitServed(on, network);
      await api.update('network', network, { admin_state_up: false });
      await awaitUnserved(on, network);
      await api.update('network', network, { admin_state_up: true });
      await awaitServed(on, network);
      expect((await leaseOf(port)).address).toBe(addressOf(port));
    });

    test('leaves nothing on the host after its deletion', async () => {
      const { api, on } = parts();
      const network = await api.network('10.42.0.0/24');
      const port = await api.machinePort(network, on.host.name);
      await awaitServed(on, network);
      await awaitSettled(api, network, 1);
      await api.delete('port', port.id);
      await api.delete('network', network);
      await awaitUnserved(on, network);
      await eventually('the namespace to be gone', async () => !(await hasNamespace(on, network)));
      await eventually(
        'its files to be gone',
        async () => (await on.host.tryRun('ls', `${on.statePath}/dhcp/${network}`)).exitCode !== 0,
      );
      const devices = await on.host.run('ip', '-o', 'link', 'show', 'type', 'veth');
      expect(devices).not.toContain(`qdhcp-${network}`);
    });

    test('removed from the agent is not served; added again, it is', async () => {
      const { api, on } = parts();
      const network = await api.network('10.43.0.0/24');
      const port = await api.machinePort(network, on.host.name);
      await awaitServed(on, network);
      const [agent] = await api.agents(`host=${on.host.name}&agent_type=DHCP%20agent`);
      const removed = await api.request('DELETE', `agents/${agent?.id}/dhcp-networks/${network}`);
      expect(removed.status).toBe(204);
      await awaitUnserved(on, network);
      await eventually('its DHCP port to be released', async () =>
        (await api.ports(`network_id=${network}&device_owner=network:dhcp`)).every(
          ({ device_id }) => device_id === 'reserved_dhcp_port',
        ),
      );
      const added = await api.request('POST', `agents/${agent?.id}/dhcp-networks`, { network_id: network });
      expect(added.status).toBe(201);
      await awaitServed(on, network);
      expect((await leaseOf(port)).address).toBe(addressOf(port));
    });
  });

  describe('the agent', () => {
    test('disabled, releases its networks; enabled, serves them', async () => {
      const { api, on } = parts();
      const network = await api.network('10.51.0.0/24');
      const port = await api.machinePort(network, on.host.name);
      await awaitServed(on, network);
      const agent = await api.awaitAgent(on.host.name, 'DHCP agent');
      await api.update('agent', agent.id, { admin_state_up: false });
      await awaitUnserved(on, network);
      await api.update('agent', agent.id, { admin_state_up: true });
      await awaitServed(on, network);
      expect((await leaseOf(port)).address).toBe(addressOf(port));
    });

    test('stopped and restarted, leaves dnsmasq serving, and then catches up with all changes', async () => {
      const { api, on } = parts();
      const network = await api.network('10.52.0.0/24');
      const doomed = await api.network('10.53.0.0/24');
      const [steady, changed, deleted] = [
        await api.machinePort(network, on.host.name),
        await api.machinePort(network, on.host.name, { fixed_ips: [{ ip_address: '10.52.0.20' }] }),
        await api.machinePort(network, on.host.name),
      ];
      const last = await api.machinePort(doomed, on.host.name);
      for (const port of [steady, changed, deleted, last]) await awaitPort(on, port);
      await awaitSettled(api, doomed, 1);
      await withMachine([steady], async (guest) => {
        const { address } = await guest.lease('eth0', LEASE_MS);
        const pid = await dnsmasqPid(on, network);
        await on.dhcp.shutDown();
        expect(await dnsmasqPid(on, network)).toBe(pid);
        expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
        await api.update('port', changed.id, { fixed_ips: [{ ip_address: '10.52.0.21' }] });
        await api.delete('port', deleted.id);
        await api.delete('port', last.id);
        await api.delete('network', doomed);
        const made = await api.machinePort(network, on.host.name);
        const madeNetwork = await api.network('10.54.0.0/24');
        const first = await api.machinePort(madeNetwork, on.host.name);
        await on.dhcp.start();
        await awaitPort(on, made);
        await awaitPort(on, first);
        await awaitPort(on, await api.port(changed.id));
        await awaitNoPort(on, deleted);
        await awaitUnserved(on, doomed);
        expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
        expect((await leaseOf(made)).address).toBe(addressOf(made));
        expect((await leaseOf(first)).address).toBe(addressOf(first));
      });
    });

    test('killed, is considered dead while machines keep renewing; restarted, is alive', async () => {
      const { api, on } = parts();
      const network = await api.network('10.55.0.0/24');
      const port = await api.machinePort(network, on.host.name);
      await withMachine([port], async (guest) => {
        const { address } = await guest.lease('eth0', LEASE_MS);
        await on.dhcp.kill();
        await eventually('the agent to be dead', async () => {
          const [agent] = await api.agents(`host=${on.host.name}&agent_type=DHCP%20agent`);
          return agent?.alive === false;
        });
        expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
        await on.dhcp.start();
        const agent = await api.awaitAgent(on.host.name, 'DHCP agent');
        expect(agent.configurations).toMatchObject({ dhcp_lease_duration: 86_400 });
        const late = await api.machinePort(network, on.host.name);
        expect((await leaseOf(late)).address).toBe(addressOf(late));
        await eventually('the agent to report its networks', async () => {
          const [{ configurations } = agent] = await api.agents(`host=${on.host.name}&agent_type=DHCP%20agent`);
          return Number(configurations.networks) >= 1;
        });
      });
    });
  });
}
