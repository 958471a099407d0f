import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../src/lab/wait.ts';
import { type PrivateMariadb, startMariadb } from '../support/mariadb.ts';
import { freePorts, type RabbitMq, startRabbitMq } from '../support/rabbitmq.ts';
import { AgentHost, type Side } from './agent-host.ts';
import { ApiClient } from './api-client.ts';
import { dhcpAgentIni, type Ini, linuxbridgeAgentIni, mergeIni, neutronConf, serverConf } from './config-files.ts';
import { startTestHost, type TestHost } from './hosts/test-host.ts';
import { makeUnderlay, type Underlay } from './hosts/underlay.ts';
import { makeProgram, type Program, type ProgramSpec } from './processes/program.ts';

const START_MS = 120_000;
const MIGRATE_MS = 600_000;

/** A server with its host, database and API. */
export interface RunningServer {
  readonly side: Side;
  readonly program: Program;
  readonly api: ApiClient;
}

/**
 * A cloud of parts that can each be stock or Neutrino's: a broker and a database of its own, one server, hosts with agents.
 * What the parts share is the files that configure them, and the wire.
 */
export interface World {
  readonly folder: string;
  readonly programs: readonly Program[];
  server(side: Side, more?: Ini): Promise<RunningServer>;
  /** Starts a host with its agents; resolves when the server sees them alive. */
  agents(api: ApiClient, name: string, sides: { readonly dhcp: Side; readonly l2: Side }): Promise<AgentHost>;
  dispose(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-interop-'));
  // Stock Neutron's dnsmasq gives up root and reads its files as nobody.
  chmodSync(folder, 0o755);
  const programs: Program[] = [];
  const disposing: (() => Promise<void>)[] = [async () => removeFolder(folder)];
  const dispose = async () => {
    for (const one of disposing.splice(0).reverse()) await one();
  };
  try {
    const underlay = await makeUnderlay();
    disposing.push(underlay.dispose);
    const [broker, mariadb] = await Promise.all([startBroker(underlay), startMariadb()]);
    disposing.push(mariadb.dispose, broker.rabbit.dispose);
    const startHost = async (name: string): Promise<TestHost> => {
      const host = await startTestHost(name, underlay);
      disposing.push(host.dispose);
      return host;
    };
    return {
      folder,
      programs,
      async server(side, more = {}) {
        const host = await startHost('controller');
        const database = await socketUrl(mariadb);
        const statePath = join(folder, host.name);
        await mkdir(statePath, { recursive: true });
        const files = {
          'neutron.conf': mergeIni(
            neutronConf({ host: host.name, transportUrl: broker.url, statePath }),
            serverConf({ database, bindHost: host.address }),
            more,
          ),
        };
        const which = side === 'stock' ? 'neutron-server' : 'neutrino server';
        const program = makeProgram({ which, host, folder: statePath, files });
        programs.push(program);
        await migrate({ host, folder: statePath, files }, side);
        await program.start();
        const api = new ApiClient(`http://${host.address}:9696`);
        await awaitApi(api, program);
        return { side, program, api };
      },
      async agents(api, name, sides) {
        const host = await startHost(name);
        const statePath = join(folder, name);
        await mkdir(statePath, { recursive: true });
        const on = new AgentHost({
          host,
          sides,
          statePath,
          files: {
            neutron: neutronConf({ host: name, transportUrl: broker.url, statePath }),
            dhcp: dhcpAgentIni(),
            l2: linuxbridgeAgentIni({ localIp: host.address }),
          },
          onProgram: (program) => programs.push(program),
        });
        await Promise.all([on.l2.start(), on.dhcp.start()]);
        await Promise.all([api.awaitAgent(name, 'Linux bridge agent'), api.awaitAgent(name, 'DHCP agent')]);
        return on;
      },
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Files and logs of all programs; INTEROP_KEEP=1 keeps them. */
function removeFolder(folder: string): void {
  if (process.env.INTEROP_KEEP) console.log(`files and logs are kept in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}

async function startBroker(underlay: Underlay): Promise<{ readonly rabbit: RabbitMq; readonly url: string }> {
  const [port = 0] = await freePorts(1);
  const rabbit = await startRabbitMq({
    conf: [`listeners.tcp.2 = ${underlay.address}:${port}`],
    login: { user: 'openstack', password: 'rabbit-secret' },
  });
  return { rabbit, url: rabbit.transportUrl({ port }).replace('@127.0.0.1:', `@${underlay.address}:`) };
}

/** A new database, by the server's socket: hosts share the file system, not this machine's loopback. */
async function socketUrl(mariadb: PrivateMariadb): Promise<string> {
  const url = new URL((await mariadb.database()).replace('mysql+pymysql:', 'http:'));
  return `mysql+pymysql://${url.username}:${url.password}@localhost${url.pathname}?charset=utf8mb4&unix_socket=${mariadb.socket}`;
}

async function migrate(parts: Omit<ProgramSpec, 'which'>, side: Side): Promise<void> {
  const step =
    side === 'stock'
      ? makeProgram({ ...parts, which: 'neutron-db-manage', arguments: ['upgrade', 'heads'] })
      : makeProgram({ ...parts, which: 'neutrino db upgrade' });
  await step.start();
  const end = await step.ended(MIGRATE_MS);
  if (end !== '0') throw new Error(`${step.which} ended with ${end}:\n${step.log().slice(-4_000)}`);
}

async function awaitApi(api: ApiClient, program: Program): Promise<void> {
  await waitFor(
    `${program.which} to answer at ${api.url}`,
    async () => {
      if (!(await program.isRunning())) throw new Error(`${program.which} ended`);
      const answer = await api.request('GET', 'agents').catch(() => undefined);
      return answer?.status === 200 || undefined;
    },
    { timeoutMs: START_MS, intervalMs: 200 },
  ).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}; it said:\n${program.log().slice(-4_000)}`);
  });
}
