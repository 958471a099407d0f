import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { parseMysqlUrl } from '../../../src/db/mysql/url.ts';
import { ApiClient } from '../../support/api-client.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';
import type { Underlay } from '../../support/hosts/underlay.ts';
import { type Ini, mergeIni } from '../../support/ini.ts';
import type { PrivateMariadb } from '../../support/mariadb.ts';
import type { NeutrinoProcess } from '../../support/neutrino.ts';
import type { RabbitMq } from '../../support/rabbitmq.ts';
import { type Place, startSite } from '../../support/site.ts';

/** A server on its own host. */
export interface ClusterServer {
  readonly host: TestHost;
  readonly process: NeutrinoProcess;
  readonly api: ApiClient;
}

/** A host with an L2 agent and optionally a DHCP agent. */
export interface AgentHost {
  readonly name: string;
  readonly host: TestHost;
  readonly statePath: string;
  readonly l2: NeutrinoProcess;
  readonly dhcp: NeutrinoProcess | undefined;
  /** Returns the contents of a file of the network's dnsmasq here (`host`, `leases`, `pid`); empty if it does not exist. */
  file(networkId: string, name: string): Promise<string>;
}

export interface ClusterOptions {
  readonly servers: readonly string[];
  /** Hosts with DHCP and L2 agent, each with a physical network that no other host reaches: `rack-<name>`. */
  readonly dhcpHosts: readonly string[];
  /** Hosts with only an L2 agent, for machines. */
  readonly computeHosts: readonly string[];
  /** Additional options in neutron.conf of all processes. */
  readonly conf?: Ini;
}

/**
 * A small site of real processes: servers on a private MariaDB and RabbitMQ, agents on separate hosts (`test/support/hosts`),
 * joined by an underlay that carries VXLAN. Everything can be stopped, killed and restarted.
 */
export interface Cluster {
  readonly folder: string;
  readonly underlay: Underlay;
  readonly mariadb: PrivateMariadb;
  readonly rabbit: RabbitMq;
  readonly servers: readonly ClusterServer[];
  readonly hosts: readonly AgentHost[];
  /** Queries the database directly. */
  query(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  dispose(): Promise<void>;
}

/** Seconds after which an agent without reports is considered dead: longer than a loaded test machine delays a report. */
const DOWN_SECONDS = 12;
const REPORT_SECONDS = 2;

function sharedConf(facts: { host: string; transportUrl: string; database: string; statePath: string }): Ini {
  return {
    DEFAULT: {
      host: facts.host,
      transport_url: facts.transportUrl,
      state_path: facts.statePath,
      bind_host: '0.0.0.0',
      agent_down_time: DOWN_SECONDS,
      rpc_response_timeout: 15,
    },
    agent: { report_interval: REPORT_SECONDS },
    // An isolated host notices within seconds, and reconnects as fast.
    oslo_messaging_rabbit: { heartbeat_timeout_threshold: 6, rabbit_interval_max: 4 },
    database: { connection: facts.database },
  };
}

/** Starts a cluster; resolves when all servers respond and all agents are alive. Needs root. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const site = await startSite('cluster');
  try {
    const { mariadb, rabbit, transportUrl, database, underlay, folder } = site;
    const confOf = ({ host, statePath }: Place) => {
      const facts = { host: host.name, transportUrl, database, statePath };
      return mergeIni(sharedConf(facts), options.conf ?? {});
    };
    const servers = await Promise.all(
      options.servers.map(async (name) => {
        const place = await site.place(name);
        const files = { 'neutron.conf': confOf(place) };
        const api = new ApiClient(`http://${place.host.address}:9696`);
        return { place, files, host: place.host, process: place.neutrino(['server'], files), api };
      }),
    );
    const [first] = servers;
    if (!first) throw new Error('a cluster without a server');
    await first.place.neutrino(['db', 'upgrade'], first.files).runToEnd();
    await Promise.all(servers.map(({ process }) => process.startAndWait()));

    const agents = async (name: string, withDhcp: boolean): Promise<AgentHost> => {
      const place = await site.place(name);
      const { host, statePath } = place;
      await host.run('ip', 'link', 'add', 'name', 'rack', 'up', 'type', 'veth', 'peer', 'name', 'far');
      const conf = confOf(place);
      const agent = (command: string, file: string, ini: Ini) =>
        place.neutrino([command], { 'neutron.conf': conf, [file]: ini });
      const l2 = agent('l2-agent', 'linuxbridge_agent.ini', {
        vxlan: { enable_vxlan: true, local_ip: host.address },
        linux_bridge: { physical_interface_mappings: withDhcp ? `rack-${name}:rack` : '' },
      });
      const dhcp = withDhcp ? agent('dhcp-agent', 'dhcp_agent.ini', { DEFAULT: { resync_interval: 2 } }) : undefined;
      await Promise.all([l2.startAndWait(), dhcp?.startAndWait()]);
      const file = (networkId: string, part: string) =>
        readFile(join(statePath, 'dhcp', networkId, part), 'utf8').catch(() => '');
      return { name, host, statePath, l2, dhcp, file };
    };
    const hosts = await Promise.all([
      ...options.dhcpHosts.map((name) => agents(name, true)),
      ...options.computeHosts.map((name) => agents(name, false)),
    ]);
    for (const { name, dhcp } of hosts) {
      await first.api.awaitAgent(name, 'Linux bridge agent');
      if (dhcp) await first.api.awaitAgent(name, 'DHCP agent');
    }
    return {
      ...{ folder, underlay, mariadb, rabbit, servers, hosts },
      async query(statement) {
        const { database: name } = parseMysqlUrl(database);
        const connection = await createConnection({ socketPath: mariadb.socket, user: 'root', database: name });
        try {
          const [rows] = await connection.query(statement);
          return rows as readonly Readonly<Record<string, unknown>>[];
        } finally {
          await connection.end();
        }
      },
      dispose: site.dispose,
    };
  } catch (error) {
    await site.dispose();
    throw error;
  }
}
