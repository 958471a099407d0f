import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMysql } from '../../../src/db/mysql/open.ts';
import { parseMysqlUrl } from '../../../src/db/mysql/url.ts';
import { ApiClient } from '../../interop/api-client.ts';
import { type Ini, iniText, mergeIni } from '../../interop/config-files.ts';
import { startTestHost, type TestHost } from '../../interop/hosts/test-host.ts';
import { makeUnderlay, type Underlay } from '../../interop/hosts/underlay.ts';
import { removeUnlessKept } from '../../support/kept-folder.ts';
import { type PrivateMariadb, startMariadb } from '../../support/mariadb.ts';
import { type RabbitMq, startRabbitMq } from '../../support/rabbitmq.ts';
import type { Facts } from '../agreement/facts.ts';
import type { SharedNetwork } from '../load/client.ts';
import { readApi } from '../witnesses/api.ts';
import { readDatabase } from '../witnesses/database.ts';
import { readHost } from '../witnesses/host.ts';
import { Guests } from './guests.ts';
import { awaitApi, type NeutrinoOnHost, neutrinoOnHost } from './neutrino-on-host.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface ClusterServer {
  readonly process: NeutrinoOnHost;
  readonly api: ApiClient;
}

export interface ClusterAgents {
  readonly host: TestHost;
  readonly statePath: string;
  readonly dhcp: NeutrinoOnHost;
  readonly l2: NeutrinoOnHost;
}

/** Two servers, two hosts with agents and machines, a broker and a database, which all reach each other through proxies. */
export interface ClusterWorld {
  readonly servers: readonly ClusterServer[];
  readonly agents: readonly ClusterAgents[];
  readonly mariadb: PrivateMariadb;
  readonly rabbit: RabbitMq;
  /** The way of the servers to the database. */
  readonly toDatabase: TcpProxy;
  /** Everybody's way to the broker. */
  readonly toBroker: TcpProxy;
  readonly guests: Guests;
  /** Networks with a machine each. */
  readonly shared: readonly SharedNetwork[];
  /** As the server sees it whose API is asked. */
  facts(server?: ClusterServer): Promise<Facts>;
  /** What a process has said last, of all of them. */
  lastWords(): string;
  dispose(): Promise<void>;
}

const AGENTS_PER_NETWORK = 1;

/** Starts one; resolves when its machines have their addresses. `more`: options of all processes. Needs root. */
export async function startClusterWorld(more: Ini = {}): Promise<ClusterWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-fault-cluster-'));
  const disposing: (() => Promise<void>)[] = [() => removeUnlessKept(folder)];
  const dispose = async () => {
    for (const one of disposing.splice(0).reverse()) await one();
  };
  const later = <T extends { dispose(): Promise<void> }>(part: T): T => {
    disposing.push(() => part.dispose());
    return part;
  };
  try {
    const underlay = later(await makeUnderlay());
    const [mariadb, rabbit] = await Promise.all([startMariadb().then(later), startRabbitMq().then(later)]);
    const proxy = async (port: number) => {
      const started = await startTcpProxy(underlay.address, port);
      disposing.push(() => started.close());
      return started;
    };
    const [toDatabase, toBroker] = [await proxy(mariadb.port), await proxy(rabbit.port)];
    const database = await mariadb.database();
    const via = (url: string, port: number) => url.replace(/@127\.0\.0\.1:\d+/, `@${underlay.address}:${port}`);
    const urls = [via(rabbit.transportUrl(), toBroker.port), via(database, toDatabase.port)] as const;
    const shared = mergeIni(sharedConf(...urls), more);
    const programs = new Map<string, NeutrinoOnHost>();
    const place = placesIn(folder, underlay, programs, (host) => disposing.push(() => host.dispose()));

    const servers = await Promise.all(
      ['server1', 'server2'].map(async (name): Promise<ClusterServer> => {
        const { host, program } = await place(name);
        const conf = mergeIni(shared, { DEFAULT: { host: name, bind_host: host.address } });
        // Both at once: migrations may run side by side.
        await migrated(program('db upgrade', conf));
        const server = program('server', conf);
        await server.start();
        return { process: server, api: new ApiClient(`http://${host.address}:9696`) };
      }),
    );
    const [first] = servers;
    if (!first) throw new Error('a server');
    const agents = await Promise.all(
      ['agents1', 'agents2'].map(async (name): Promise<ClusterAgents> => {
        const { host, statePath, program } = await place(name);
        const conf = mergeIni(shared, {
          DEFAULT: { host: name },
          vxlan: { enable_vxlan: true, local_ip: host.address },
        });
        return { host, statePath, dhcp: program('dhcp-agent', conf), l2: program('l2-agent', conf) };
      }),
    );
    await Promise.all(servers.map(({ api }) => awaitApi(api.url)));
    await Promise.all(agents.flatMap(({ dhcp, l2 }) => [dhcp.start(), l2.start()]));
    for (const { host } of agents) {
      await first.api.awaitAgent(host.name, 'DHCP agent');
      await first.api.awaitAgent(host.name, 'Linux bridge agent');
    }

    const guests = new Guests();
    disposing.push(() => guests.stop());
    const networks: SharedNetwork[] = [];
    for (const [i, { host }] of agents.entries()) {
      const prefix = `192.168.${i + 1}`;
      const id = await first.api.network();
      networks.push({ id, subnetId: await first.api.subnet(id, { cidr: `${prefix}.0/24` }), prefix });
      await guests.boot(host, await first.api.machinePort(id, host.name));
    }
    const db = openMysql({ address: parseMysqlUrl(database), connections: 2 });
    disposing.push(() => db.close());
    return {
      ...{ servers, agents, mariadb, rabbit, toDatabase, toBroker, guests, shared: networks, dispose },
      async facts(server = first) {
        const shown = await readApi(server.api.url);
        const rows = await readDatabase(db);
        const look = ({ host, statePath }: ClusterAgents) => readHost(host, statePath, guests.ports(host.name));
        const hosts = await Promise.all(agents.map(look));
        return { api: shown, database: rows, hosts, agentsPerNetwork: AGENTS_PER_NETWORK };
      },
      lastWords: () => [...programs].map(([name, program]) => `--- ${name}\n${program.log().slice(-3_000)}`).join('\n'),
    };
  } catch (error) {
    await dispose();
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
    // Ways that break every few seconds would else be tried more and more seldom, and a test take as long.
    oslo_messaging_rabbit: { rabbit_interval_max: 4 },
  };
}

interface Place {
  readonly host: TestHost;
  readonly statePath: string;
  /** A command with its configuration there. */
  program(command: string, conf: Ini): NeutrinoOnHost;
}

/** Makes hosts with a folder each. */
function placesIn(
  folder: string,
  underlay: Underlay,
  programs: Map<string, NeutrinoOnHost>,
  started: (host: TestHost) => void,
): (name: string) => Promise<Place> {
  return async (name) => {
    const host = await startTestHost(name, underlay);
    started(host);
    const statePath = join(folder, name);
    mkdirSync(statePath, { recursive: true });
    return {
      host,
      statePath,
      program(command, conf) {
        const file = join(statePath, `${command}.conf`);
        writeFileSync(file, iniText(mergeIni(conf, { DEFAULT: { state_path: statePath } })));
        const words = [...command.split(' '), '--config-file', file];
        const program = neutrinoOnHost(host, words, join(statePath, `${command}.log`));
        programs.set(`${command} on ${name}`, program);
        return program;
      },
    };
  };
}

async function migrated(upgrade: NeutrinoOnHost): Promise<void> {
  await upgrade.start();
  const end = await upgrade.ended(60_000);
  if (end !== '0') throw new Error(`db upgrade ended with ${end}: ${upgrade.log()}`);
}
