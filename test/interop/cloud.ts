import { join } from 'node:path';
import { waitFor } from '../../src/time/wait.ts';
import { ApiClient } from '../support/api-client.ts';
import { type Ini, mergeIni } from '../support/ini.ts';
import type { Program } from '../support/program.ts';
import { startSite } from '../support/site.ts';
import { AgentHost, type Side } from './agent-host.ts';
import { dhcpAgentIni, linuxbridgeAgentIni, metadataAgentIni, neutronConf, serverConf } from './config-files.ts';
import { makeProgram, type ProgramOnHost } from './program.ts';

const START_MS = 120_000;
const MIGRATE_MS = 600_000;

/** A server with its host, database and API. */
export interface RunningServer {
  readonly side: Side;
  readonly program: Program;
  readonly api: ApiClient;
}

/**
 * A cloud of components, each stock or Neutrino's: its own broker and database, one server, hosts with agents.
 * The components share only configuration files and the wire.
 */
export interface Cloud {
  readonly folder: string;
  readonly programs: readonly Program[];
  /** URL of its broker. */
  readonly transportUrl: string;
  server(side: Side, more?: Ini): Promise<RunningServer>;
  /** Starts a host with its agents; resolves when they are alive according to the server. */
  agents(api: ApiClient, name: string, sides: AgentSides): Promise<AgentHost>;
  /** Starts a host with a metadata agent whose Nova listens on `address`; resolves when it is alive according to the server. */
  metadataAgent(api: ApiClient, name: string, side: Side, novaPort: number, more?: Ini): Promise<MetadataHost>;
  /** Address of this machine for the hosts. */
  readonly address: string;
  dispose(): Promise<void>;
}

interface AgentSides {
  readonly dhcp: Side;
  readonly l2: Side;
  /** A physical network that only this host reaches; default: none. */
  readonly physical?: string;
}

/** A host with a metadata agent. */
export interface MetadataHost {
  readonly program: Program;
  /** Path of its UNIX socket. */
  readonly socket: string;
}

export async function startCloud(): Promise<Cloud> {
  const site = await startSite('interop', { login: { user: 'openstack', password: 'rabbit-secret' } });
  const { folder, transportUrl } = site;
  const programs: Program[] = [];
  return {
    folder,
    programs,
    transportUrl,
    async server(side, more = {}) {
      const { host, statePath } = await site.place('controller');
      const files = {
        'neutron.conf': mergeIni(
          neutronConf({ host: host.name, transportUrl, statePath }),
          serverConf({ database: site.database, bindHost: host.address }),
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
      const { host, statePath } = await site.place(name);
      if (sides.physical)
        await host.run('ip', 'link', 'add', 'name', 'rack', 'up', 'type', 'veth', 'peer', 'name', 'far');
      const on = new AgentHost({
        host,
        sides,
        statePath,
        files: {
          neutron: neutronConf({ host: name, transportUrl, statePath }),
          dhcp: dhcpAgentIni(),
          l2: mergeIni(
            linuxbridgeAgentIni({ localIp: host.address }),
            sides.physical ? { linux_bridge: { physical_interface_mappings: `${sides.physical}:rack` } } : {},
          ),
        },
        onProgram: (program) => programs.push(program),
      });
      await Promise.all([on.l2.start(), on.dhcp.start()]);
      await Promise.all([api.awaitAgent(name, 'Linux bridge agent'), api.awaitAgent(name, 'DHCP agent')]);
      return on;
    },
    address: site.underlay.address,
    async metadataAgent(api, name, side, novaPort, more = {}) {
      const { host, statePath } = await site.place(name);
      const program = makeProgram({
        which: side === 'stock' ? 'neutron-metadata-agent' : 'neutrino metadata-agent',
        host,
        folder: statePath,
        files: {
          'neutron.conf': neutronConf({ host: name, transportUrl, statePath }),
          'metadata_agent.ini': mergeIni(metadataAgentIni({ nova: site.underlay.address, port: novaPort }), more),
        },
      });
      programs.push(program);
      await program.start();
      await api.awaitAgent(name, 'Metadata agent');
      return { program, socket: join(statePath, 'metadata_proxy') };
    },
    dispose: site.dispose,
  };
}

async function migrate(parts: Omit<ProgramOnHost, 'which'>, side: Side): Promise<void> {
  const step =
    side === 'stock'
      ? makeProgram({ ...parts, which: 'neutron-db-manage', arguments: ['upgrade', 'heads'] })
      : makeProgram({ ...parts, which: 'neutrino db upgrade' });
  await step.start();
  const code = await step.exitCode(MIGRATE_MS);
  if (code !== 0) throw new Error(`${step.name} ended with ${code}; its output:\n${step.lastWords()}`);
}

async function awaitApi(api: ApiClient, program: Program): Promise<void> {
  await waitFor(
    `${program.name} to answer at ${api.url}`,
    async () => {
      if (!(await program.isRunning())) throw new Error(`${program.name} ended`);
      const answer = await api.request('GET', 'agents').catch(() => undefined);
      return answer?.status === 200 || undefined;
    },
    { timeoutMs: START_MS, intervalMs: 200 },
  ).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}; its output:\n${program.lastWords()}`);
  });
}
