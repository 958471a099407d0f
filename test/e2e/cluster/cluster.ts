import { mkdirSync, mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { parseMysqlUrl } from '../../../src/db/mysql/url.ts';
import { ApiClient } from '../../interop/api-client.ts';
import { type Ini, mergeIni } from '../../interop/config-files.ts';
import { startTestHost, type TestHost } from '../../interop/hosts/test-host.ts';
import { makeUnderlay, type Underlay } from '../../interop/hosts/underlay.ts';
import { removeUnlessKept } from '../../support/kept-folder.ts';
import { type PrivateMariadb, startMariadb } from '../../support/mariadb.ts';
import { freePorts, type RabbitMq, startRabbitMq } from '../../support/rabbitmq.ts';
import { type ClusterProcess, makeClusterProcess } from './process.ts';

/** A server on a host of its own. */
export interface ClusterServer {
  readonly host: TestHost;
  readonly process: ClusterProcess;
  readonly api: ApiClient;
}

/** A host with an L2 agent and, where it has one, a DHCP agent. */
export interface AgentHost {
  readonly name: string;
  readonly host: TestHost;
  readonly statePath: string;
  readonly l2: ClusterProcess;
  readonly dhcp: ClusterProcess | undefined;
  /** Text of a file of the network's dnsmasq here (`host`, `leases`, `pid`); empty while there is none. */
  file(networkId: string, name: string): Promise<string>;
}

export interface ClusterOptions {
  readonly servers: readonly string[];
  /** Hosts with DHCP and L2 agent. */
  readonly dhcpHosts: readonly string[];
  /** Hosts with an L2 agent alone, for machines. */
  readonly computeHosts: readonly string[];
  /** What neutron.conf of all processes says beside what joins them. */
  readonly conf?: Ini;
}

/**
 * A small site out of real processes: servers on one MariaDB and one RabbitMQ of the test's own, agents on hosts of their own
 * (`test/interop/hosts`), joined by an underlay that carries VXLAN. Anything may be stopped, killed and started again.
 */
export interface Cluster {
  readonly folder: string;
  readonly underlay: Underlay;
  readonly mariadb: PrivateMariadb;
  readonly rabbit: RabbitMq;
  readonly servers: readonly ClusterServer[];
  readonly hosts: readonly AgentHost[];
  /** Asks the database itself, past all servers. */
  query(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  dispose(): Promise<void>;
}

/** Seconds after which an agent without reports counts as dead: more than a loaded test machine holds up a report. */
export const DOWN_SECONDS = 12;
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
    // A host that is cut off notices within seconds, and is back as soon.
    oslo_messaging_rabbit: { heartbeat_timeout_threshold: 6, rabbit_interval_max: 4 },
    database: { connection: facts.database },
  };
}

/** Starts a cluster; resolves when all servers answer and all agents live. Needs root. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-cluster-'));
  const disposing: (() => Promise<void>)[] = [() => removeUnlessKept(folder)];
  const dispose = async () => {
    for (const one of disposing.splice(0).reverse()) await one();
  };
  try {
    const underlay = await makeUnderlay();
    disposing.push(underlay.dispose);
    const [brokerPort = 0] = await freePorts(1);
    const mariadb = await startMariadb({ addresses: [underlay.address] });
    disposing.push(mariadb.dispose);
    const rabbit = await startRabbitMq({ conf: [`listeners.tcp.2 = ${underlay.address}:${brokerPort}`] });
    disposing.push(rabbit.dispose);
    const reached = (url: string) => url.replace('@127.0.0.1:', `@${underlay.address}:`);
    const database = await mariadb.database();
    const transportUrl = reached(rabbit.transportUrl({ port: brokerPort }));

    const place = async (name: string) => {
      const host = await startTestHost(name, underlay);
      disposing.push(host.dispose);
      const statePath = join(folder, name);
      mkdirSync(statePath, { recursive: true });
      const facts = { host: name, transportUrl, database: reached(database), statePath };
      return { host, statePath, conf: mergeIni(sharedConf(facts), options.conf ?? {}) };
    };
    const servers = await Promise.all(
      options.servers.map(async (name) => {
        const { host, statePath, conf } = await place(name);
        const files = { 'neutron.conf': conf };
        const process = makeClusterProcess({ host, command: 'server', folder: statePath, files });
        return { host, process, api: new ApiClient(`http://${host.address}:9696`) };
      }),
    );
    await servers[0]?.process.run('db', 'upgrade');
    await Promise.all(servers.map(({ process }) => process.start()));

    const agents = async (name: string, withDhcp: boolean): Promise<AgentHost> => {
      const { host, statePath, conf } = await place(name);
      const agent = (command: string, file: string, ini: Ini) =>
        makeClusterProcess({ host, command, folder: statePath, files: { 'neutron.conf': conf, [file]: ini } });
      const l2 = agent('l2-agent', 'linuxbridge_agent.ini', { vxlan: { enable_vxlan: true, local_ip: host.address } });
      const dhcp = withDhcp ? agent('dhcp-agent', 'dhcp_agent.ini', { DEFAULT: { resync_interval: 2 } }) : undefined;
      await Promise.all([l2.start(), dhcp?.start()]);
      const file = (networkId: string, part: string) =>
        readFile(join(statePath, 'dhcp', networkId, part), 'utf8').catch(() => '');
      return { name, host, statePath, l2, dhcp, file };
    };
    const hosts = await Promise.all([
      ...options.dhcpHosts.map((name) => agents(name, true)),
      ...options.computeHosts.map((name) => agents(name, false)),
    ]);
    const [first] = servers;
    for (const { name, dhcp } of hosts) {
      await first?.api.awaitAgent(name, 'Linux bridge agent');
      if (dhcp) await first?.api.awaitAgent(name, 'DHCP agent');
    }
    return {
      folder,
      underlay,
      mariadb,
      rabbit,
      servers,
      hosts,
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
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
