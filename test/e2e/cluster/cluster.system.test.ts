import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../../src/time/wait.ts';
import { awaitAgreement, disagreements } from './agreement.ts';
import { type AgentHost, type Cluster, type ClusterServer, startCluster } from './cluster.ts';
import { startLoad } from './load.ts';

const LEASE_MS = 30_000;

describe.skipIf(process.getuid?.() !== 0)(
  'two servers, two DHCP agents, RabbitMQ and MariaDB (needs root)',
  {
    timeout: 240_000,
  },
  () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster({
        servers: ['ctl1', 'ctl2'],
        dhcpHosts: ['dhcp1', 'dhcp2'],
        computeHosts: ['comp1'],
      });
    }, 180_000);
    afterAll(() => cluster?.dispose());

    const server = (i: number): ClusterServer => cluster.servers[i] as ClusterServer;
    const compute = () => {
      const found = cluster.hosts.find(({ name }) => name === 'comp1');
      if (!found) throw new Error('no compute host');
      return found;
    };
    const dhcpHost = async (networkId: string) => {
      const [name] = await server(1).api.dhcpHosts(networkId);
      const found = cluster.hosts.find((one) => one.name === name);
      if (!found?.dhcp) throw new Error(`network ${networkId} is on no agent`);
      return { ...found, dhcp: found.dhcp };
    };
    /** Waits until another agent hosts the network; resolves to its host. */
    const moved = (networkId: string, from: string) =>
      waitFor(
        `network ${networkId} to leave ${from}`,
        async () => {
          const hosts = await server(1).api.dhcpHosts(networkId);
          return hosts.length === 1 && hosts[0] !== from ? hosts[0] : undefined;
        },
        { timeoutMs: 90_000, intervalMs: 250 },
      );
    /** Waits until nothing of the network is left on a host. */
    const dropped = (host: AgentHost, networkId: string) =>
      waitFor(
        `${host.name} to drop network ${networkId}`,
        async () => {
          const spaces = await host.host.run('ip', 'netns', 'list');
          return (!spaces.includes(networkId) && (await host.file(networkId, 'host')) === '') || undefined;
        },
        { timeoutMs: 90_000, intervalMs: 250 },
      );
    const outboxEmpty = () =>
      waitFor(
        'the outbox to be empty',
        async () => Number((await cluster.query('select count(*) as n from outbox'))[0]?.n) === 0 || undefined,
        { timeoutMs: 60_000, intervalMs: 250 },
      );

    test('a port created through either server is served to its machine on a third host', async () => {
      const network = await server(0).api.network('10.61.0.0/24');
      for (const made of [server(0), server(1)]) {
        const port = await made.api.machinePort(network, 'comp1');
        const guest = await compute().host.guest(port);
        try {
          const lease = await guest.lease('eth0', LEASE_MS);
          expect(lease.address).toBe(port.fixed_ips[0]?.ip_address);
          for (const seen of [server(0), server(1)]) await seen.api.awaitActive(port.id);
        } finally {
          await guest.stop();
        }
      }
      await awaitAgreement(cluster, network);
    });

    test('each DHCP agent serves the segment of a routed network that its host reaches', async () => {
      const { api } = server(0);
      const racks = ['dhcp1', 'dhcp2'];
      const segments = racks.map((rack) => ({
        // Not every kernel has 802.1Q.
        'provider:network_type': 'flat',
        'provider:physical_network': `rack-${rack}`,
      }));
      const { id: network } = await api.create('network', { name: 'routed', segments });
      const made = await api.get<{ segments: { id: string; physical_network: string }[] }>(
        `segments?network_id=${network}`,
      );
      for (const [at, rack] of racks.entries()) {
        const segment = made.segments.find((one) => one.physical_network === `rack-${rack}`);
        await api.subnet(network, { cidr: `10.6${at}.0.0/24`, segment_id: segment?.id });
      }
      // Nova creates ports before it knows the host.
      const ports = await Promise.all(racks.map((rack) => api.machinePort(network, '', { name: rack })));
      for (const [at, rack] of racks.entries()) {
        expect(ports[at]?.fixed_ips).toEqual([]);
        const bound = await api.update('port', ports[at]?.id ?? '', { 'binding:host_id': rack });
        const port = bound as unknown as (typeof ports)[0];
        const { host, file } = cluster.hosts.find(({ name }) => name === rack) ?? compute();
        const guest = await host.guest(port);
        try {
          const lease = await guest.lease('eth0', LEASE_MS);
          expect(lease.address).toBe(port.fixed_ips[0]?.ip_address);
          expect(lease.address).toMatch(new RegExp(`^10[.]6${at}[.]0[.]`));
          expect(await file(network, 'leases')).toContain(` ${lease.address} `);
        } finally {
          await guest.stop();
        }
      }
      expect(await api.dhcpHosts(network)).toEqual(racks);
    });

    test('a server is killed under load: every acknowledged port exists and is served once', async () => {
      const network = await server(0).api.network('10.62.0.0/20');
      for (let round = 0; round < 2; round += 1) {
        const load = startLoad(cluster.servers, network, 'comp1', 8);
        const before = load.made();
        await waitFor('some ports', async () => load.made() > before + 30 || undefined, { timeoutMs: 60_000 });
        await server(round).process.kill();
        await waitFor('more ports', async () => load.made() > before + 60 || undefined, { timeoutMs: 60_000 });
        const report = await load.stop();
        expect([...report.refused]).toEqual([]);
        const survivor = server(1 - round).api;
        const there = new Set((await survivor.ports(`network_id=${network}`)).map(({ id }) => id));
        expect(report.made.filter(({ id }) => !there.has(id))).toEqual([]);
        await server(round).process.startAndWait();
        await awaitAgreement(cluster, network);
      }
    });

    test('the broker stops while ports are created: the API does not wait for it, and everything is delivered afterwards', async () => {
      const network = await server(0).api.network('10.63.0.0/20');
      await server(0).api.machinePort(network, 'comp1');
      await awaitAgreement(cluster, network);
      await cluster.rabbit.stop('SIGKILL');
      const load = startLoad(cluster.servers, network, 'comp1', 4);
      await waitFor('ports without a broker', async () => load.made() > 60 || undefined, { timeoutMs: 60_000 });
      const report = await load.stop();
      expect([...report.refused]).toEqual([]);
      expect(report.unanswered).toBe(0);
      // Far less than any message timeout, which proves that none has been awaited.
      expect(report.slowestMs).toBeLessThan(5_000);
      expect((await disagreements(cluster, network)).length).toBeGreaterThan(0);
      await cluster.rabbit.start();
      await awaitAgreement(cluster, network, 120_000);
    });

    test('the database stops and restarts: requests fail meanwhile, and acknowledged changes remain', async () => {
      const network = await server(0).api.network('10.64.0.0/20');
      await server(0).api.machinePort(network, 'comp1');
      await cluster.mariadb.kill();
      const answers = await Promise.all(cluster.servers.map(({ api }) => api.request('GET', 'networks')));
      expect(answers.map(({ status }) => status)).toEqual([503, 503]);
      const load = startLoad(cluster.servers, network, 'comp1', 4);
      await cluster.mariadb.start();
      await waitFor('ports again', async () => load.made() > 20 || undefined, { timeoutMs: 60_000 });
      const report = await load.stop();
      expect([...report.refused.keys()].filter((status) => status !== 503)).toEqual([]);
      await outboxEmpty();
      await awaitAgreement(cluster, network);
      const there = new Set((await server(1).api.ports(`network_id=${network}`)).map(({ id }) => id));
      expect(report.made.filter(({ id }) => !there.has(id))).toEqual([]);
    });

    test('a killed DHCP agent leaves dnsmasq serving, and adopts it without a signal after its restart', async () => {
      const network = await server(0).api.network('10.65.0.0/24');
      const port = await server(0).api.machinePort(network, 'comp1');
      const guest = await compute().host.guest(port);
      try {
        const { address } = await guest.lease('eth0', LEASE_MS);
        const { dhcp, file } = await dhcpHost(network);
        const pid = await file(network, 'pid');
        await dhcp.kill();
        const while_dead = await server(1).api.machinePort(network, 'comp1');
        expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
        await dhcp.startAndWait();
        await awaitAgreement(cluster, network);
        expect(await file(network, 'host')).toContain(while_dead.mac_address);
        expect(await file(network, 'pid')).toBe(pid);
      } finally {
        await guest.stop();
      }
    });

    test('networks of a killed DHCP agent move to the live one with their DHCP server’s address; after its restart, it drops them', async () => {
      const network = await server(0).api.network('10.67.0.0/24');
      const port = await server(0).api.machinePort(network, 'comp1');
      const guest = await compute().host.guest(port);
      try {
        const before = await guest.lease('eth0', LEASE_MS);
        const old = await dhcpHost(network);
        await old.dhcp.kill();
        const next = await moved(network, old.name);
        await awaitAgreement(cluster, network);
        const renewed = await guest.renew('eth0', LEASE_MS);
        expect([renewed.address, renewed.server]).toEqual([before.address, before.server]);
        await old.dhcp.startAndWait();
        await dropped(old, network);
        expect(await server(0).api.dhcpHosts(network)).toEqual([next]);
        await awaitAgreement(cluster, network);
        expect((await guest.renew('eth0', LEASE_MS)).address).toBe(before.address);
      } finally {
        await guest.stop();
      }
    });

    test('an isolated host loses its networks; machines elsewhere renew, and it drops them once it is reconnected', async () => {
      const network = await server(0).api.network('10.68.0.0/24');
      const port = await server(0).api.machinePort(network, 'comp1');
      const guest = await compute().host.guest(port);
      const old = await dhcpHost(network);
      try {
        const { address } = await guest.lease('eth0', LEASE_MS);
        await old.host.run('ip', 'link', 'set', 'dev', 'eth0', 'down');
        await moved(network, old.name);
        const late = await server(1).api.machinePort(network, 'comp1');
        await awaitAgreement(cluster, network);
        expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
        await old.host.run('ip', 'link', 'set', 'dev', 'eth0', 'up');
        await old.host.run('ip', 'route', 'replace', 'default', 'via', cluster.underlay.address);
        await dropped(old, network);
        await awaitAgreement(cluster, network);
        expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
        expect(late.fixed_ips).toHaveLength(1);
      } finally {
        await guest.stop();
      }
    });

    test('everything stops on SIGTERM with code 0, and starts again', async () => {
      const network = await server(0).api.network('10.66.0.0/24');
      await server(0).api.machinePort(network, 'comp1');
      await awaitAgreement(cluster, network);
      const all = [
        ...cluster.servers.map(({ process }) => process),
        ...cluster.hosts.flatMap(({ l2, dhcp }) => (dhcp ? [l2, dhcp] : [l2])),
      ];
      expect(await Promise.all(all.map((one) => one.stop()))).toEqual(all.map(() => 0));
      await Promise.all(all.map((one) => one.startAndWait()));
      await server(1).api.machinePort(network, 'comp1');
      await awaitAgreement(cluster, network);
    });
  },
);
