import { join } from 'node:path';
import { openMysql } from '../../../src/db/mysql/open.ts';
import { parseMysqlUrl } from '../../../src/db/mysql/url.ts';
import { ApiClient } from '../../support/api-client.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';
import { type Ini, mergeIni } from '../../support/ini.ts';
import type { PrivateMariadb } from '../../support/mariadb.ts';
import type { NeutrinoProcess } from '../../support/neutrino.ts';
import type { RabbitMq } from '../../support/rabbitmq.ts';
import { type Place, startSite } from '../../support/site.ts';
import type { Facts } from '../agreement/facts.ts';
import type { SharedNetwork } from '../load/client.ts';
import { readApi } from '../witnesses/api.ts';
import { readDatabase } from '../witnesses/database.ts';
import { readHost } from '../witnesses/host.ts';
import { Guests } from './guests.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const JUMPING_CLOCK = join(import.meta.dirname, 'jumping-clock.ts');

interface ClusterServer {
  readonly process: NeutrinoProcess;
  readonly api: ApiClient;
}

export interface ClusterAgents {
  readonly host: TestHost;
  readonly statePath: string;
  readonly dhcp: NeutrinoProcess;
  readonly l2: NeutrinoProcess;
}

/** Two servers, two hosts with agents and machines, a broker and a database, connected through proxies. */
export interface FaultCluster {
  readonly servers: readonly ClusterServer[];
  readonly agents: readonly ClusterAgents[];
  readonly mariadb: PrivateMariadb;
  readonly rabbit: RabbitMq;
  /** The proxy from the servers to the database. */
  readonly toDatabase: TcpProxy;
  /** The proxy from all processes to the broker. */
  readonly toBroker: TcpProxy;
  readonly guests: Guests;
  /** Networks with one machine each. */
  readonly shared: readonly SharedNetwork[];
  /** According to the server whose API is queried. */
  facts(server?: ClusterServer): Promise<Facts>;
  /** Returns the last output of all processes. */
  lastWords(): string;
  dispose(): Promise<void>;
}

const AGENTS_PER_NETWORK = 1;

/** Starts one; resolves when its machines have their addresses. `more`: options of all processes. Needs root. */
export async function startFaultCluster(more: Ini = {}): Promise<FaultCluster> {
  const site = await startSite('fault-cluster');
  try {
    const { mariadb, rabbit, underlay } = site;
    const proxy = async (port: number) => {
      const started = await startTcpProxy(underlay.address, port);
      site.defer(() => started.close());
      return started;
    };
    const [toDatabase, toBroker] = [await proxy(mariadb.port), await proxy(rabbit.port)];
    const via = (url: string, port: number) => url.replace(/:\d+\//, `:${port}/`);
    const urls = [via(site.transportUrl, toBroker.port), via(site.database, toDatabase.port)] as const;
    const shared = mergeIni(sharedConf(...urls), more);
    const program = ({ host, statePath, neutrino }: Place, command: string, conf: Ini) => {
      const own = { DEFAULT: { host: host.name, state_path: statePath } };
      const files = { [`${command}.conf`]: mergeIni(shared, own, conf) };
      return neutrino(command.split(' '), files, [JUMPING_CLOCK]);
    };

    const servers = await Promise.all(
      ['server1', 'server2'].map(async (name): Promise<ClusterServer> => {
        const place = await site.place(name);
        const { address } = place.host;
        const conf = { DEFAULT: { bind_host: address } };
        // Both simultaneously, because migrations may run in parallel.
        await program(place, 'db upgrade', conf).runToEnd();
        const server = program(place, 'server', conf);
        await server.start();
        return { process: server, api: new ApiClient(`http://${address}:9696`) };
      }),
    );
    const [first] = servers;
    if (!first) throw new Error('a server');
    const agents = await Promise.all(
      ['agents1', 'agents2'].map(async (name): Promise<ClusterAgents> => {
        const place = await site.place(name);
        const { host, statePath } = place;
        const conf = { vxlan: { enable_vxlan: true, local_ip: host.address } };
        return { host, statePath, dhcp: program(place, 'dhcp-agent', conf), l2: program(place, 'l2-agent', conf) };
      }),
    );
    await Promise.all(servers.map(({ api }) => api.awaitAnswer()));
    await Promise.all(agents.flatMap(({ dhcp, l2 }) => [dhcp.start(), l2.start()]));
    for (const { host } of agents) {
      await first.api.awaitAgent(host.name, 'DHCP agent');
      await first.api.awaitAgent(host.name, 'Linux bridge agent');
    }

    const guests = new Guests();
    site.defer(() => guests.stop());
    const networks: SharedNetwork[] = [];
    for (const [i, { host }] of agents.entries()) {
      const prefix = `192.168.${i + 1}`;
      const id = await first.api.network();
      networks.push({ id, subnetId: await first.api.subnet(id, { cidr: `${prefix}.0/24` }), prefix });
      await guests.boot(host, await first.api.machinePort(id, host.name));
    }
    const db = openMysql({ address: parseMysqlUrl(site.database), connections: 2 });
    site.defer(() => db.close());
    return {
      ...{ servers, agents, mariadb, rabbit, toDatabase, toBroker, guests, shared: networks, dispose: site.dispose },
      async facts(server = first) {
        const shown = await readApi(server.api);
        const rows = await readDatabase(db);
        const look = ({ host, statePath }: ClusterAgents) => readHost(host, statePath, guests.ports(host.name));
        const hosts = await Promise.all(agents.map(look));
        return { api: shown, database: rows, hosts, agentsPerNetwork: AGENTS_PER_NETWORK };
      },
      lastWords: () => site.processes.map((one) => `--- ${one.name}\n${one.lastWords()}`).join('\n'),
    };
  } catch (error) {
    await site.dispose();
    throw error;
  }
}

function sharedConf(transportUrl: string, database: string): Ini {
  return {
    DEFAULT: {
      transport_url: transportUrl,
      rpc_response_timeout: 10,
      dhcp_agents_per_network: AGENTS_PER_NETWORK,
    },
    database: { connection: database },
    // Otherwise, connections that break every few seconds would be retried less and less often, which prolongs the test.
    oslo_messaging_rabbit: { rabbit_interval_max: 4 },
  };
}
