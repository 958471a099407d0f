import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_KINDS } from '../../src/cli/agents/kinds.ts';
import { unmetRequirements } from '../../src/cli/agents/requirements.ts';
import { defaultConfig } from '../../src/config/options.ts';
import { waitFor } from '../../src/time/wait.ts';
import { freePorts } from '../../test/support/free-ports.ts';
import { startTestHost, type TestHost } from '../../test/support/hosts/test-host.ts';
import { makeUnderlay, type Underlay } from '../../test/support/hosts/underlay.ts';
import { NeutrinoProcess, writeConfigFiles } from '../../test/support/neutrino.ts';
import type { Section, World } from '../contract.ts';
import { siteObstacle } from '../mariadb/obstacle.ts';
import { startSite } from '../mariadb/site.ts';
import type { RunningNeutrino } from '../neutrino.ts';
import { ratios } from '../spread.ts';
import { coldStartScript } from './script.ts';
import { lookAtServed } from './served.ts';

const NETWORKS = 100;
const PORTS = 10;
const QUICK_NETWORKS = 20;
const SERVED_MS = 120_000;

/** Measures how long a DHCP agent takes on an empty host, compared with a script that creates the same. */
export const coldStartSection: Section = {
  name: 'cold-start',
  title: `a DHCP agent on an empty host, ${NETWORKS} networks × ${PORTS} ports, over RabbitMQ (server on MariaDB)`,
  async obstacle() {
    const why = await unmetRequirements(AGENT_KINDS, defaultConfig());
    return why.length === 0 ? siteObstacle() : why.join('; ');
  },
  async run(world) {
    const ends: (() => Promise<void>)[] = [];
    try {
      world.progress('starting MariaDB, RabbitMQ and the server');
      const underlay = await makeUnderlay();
      ends.push(underlay.dispose);
      const [port = 0] = await freePorts(1);
      const brokerConf = [`listeners.tcp.2 = ${underlay.address}:${port}`];
      const site = await startSite({ folder: join(world.folder, 'site'), servers: 1, brokerConf });
      ends.push(site.stop);
      const [server] = site.servers;
      if (!server) throw new Error('no server runs');
      const transportUrl = site.rabbit.transportUrl({ port }).replace('@127.0.0.1:', `@${underlay.address}:`);
      const place = makePlace(world, underlay, transportUrl);
      return await measure(world, place, server);
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

/** A host on which an agent is started repeatedly. */
interface Place {
  /** Its `host` option. */
  readonly name: string;
  readonly statePath: string;
  /** Runs `work` on a fresh host with an empty state path, and removes the host. */
  onEmptyHost<T>(work: (host: TestHost) => Promise<T>): Promise<T>;
  /** Starts the DHCP agent. */
  startAgent(host: TestHost): Promise<NeutrinoProcess>;
}

function makePlace(world: World, underlay: Underlay, transportUrl: string): Place {
  const name = `bench-${randomBytes(3).toString('hex')}`;
  const statePath = join(world.folder, 'state');
  const flags = writeConfigFiles(join(world.folder, 'agent'), {
    'neutron.conf': {
      DEFAULT: { host: name, state_path: statePath, transport_url: transportUrl },
    },
  });
  let starts = 0;
  return {
    name,
    statePath,
    async onEmptyHost(work) {
      rmSync(statePath, { recursive: true, force: true });
      mkdirSync(statePath);
      const host = await startTestHost(name, underlay);
      try {
        return await work(host);
      } finally {
        await host.dispose();
      }
    },
    async startAgent(host) {
      const folder = join(world.folder, 'agent', `start-${starts++}`);
      const agent = new NeutrinoProcess({ words: ['dhcp-agent', ...flags], folder, host });
      await agent.start();
      return agent;
    },
  };
}

async function measure(world: World, place: Place, server: RunningNeutrino) {
  const rounds = world.quick ? 2 : 5;
  const networks = world.quick ? QUICK_NETWORKS : NETWORKS;
  const copies = join(world.folder, 'copies');
  const script = join(world.folder, 'cold-start.sh');

  world.progress(`creating ${networks} networks with ${PORTS} ports each`);
  await place.onEmptyHost(async (host) => {
    await synchronised(await place.startAgent(host), 0);
    for (let i = 0; i < networks; i++) await makeNetwork(server, i);
    await served(host, place, networks);
  });
  // Again, because each network now has its ports from the beginning.
  await place.onEmptyHost(async (host) => {
    await synchronised(await place.startAgent(host), networks);
    const made = await lookAtServed(host, place.statePath, copies);
    if (made.length !== networks) throw new Error(`the agent serves ${made.length} networks instead of ${networks}`);
    writeFileSync(script, coldStartScript(made, join(place.statePath, 'dhcp')));
  });

  const took = { ours: [] as number[], sync: [] as number[], script: [] as number[] };
  for (let round = 1; round <= rounds; round++) {
    world.progress(`round ${round} of ${rounds}`);
    await place.onEmptyHost(async (host) => {
      const began = performance.now();
      await host.run('sh', script);
      took.script.push(performance.now() - began);
      await servers(host, networks);
    });
    await place.onEmptyHost(async (host) => {
      const began = performance.now();
      took.sync.push(await synchronised(await place.startAgent(host), networks));
      took.ours.push(performance.now() - began);
      await servers(host, networks);
    });
  }
  return {
    figures: [
      { what: `agent, ${networks} networks: from start until all are served`, unit: 'ms', rounds: took.ours },
      { what: 'of which: from requesting its networks', unit: 'ms', rounds: took.sync, note: 'as logged by the agent' },
      {
        what: 'script: the same namespaces, devices, files and dnsmasq processes',
        unit: 'ms',
        rounds: took.script,
        note: 'sh, ip -batch, cp',
      },
    ],
    ratios: [
      { what: 'agent / script', rounds: ratios(took.ours, took.script) },
      { what: 'agent, from requesting its networks / script', rounds: ratios(took.sync, took.script) },
    ],
  };
}

/** Creates the `index`-th network, with a subnet and ports. */
async function makeNetwork(server: RunningNeutrino, index: number): Promise<void> {
  type Made = { readonly id: string };
  const { network } = await server.api.post<{ network: Made }>('networks', { network: { name: `bench${index}` } });
  const subnet = { network_id: network.id, ip_version: 4, cidr: `10.${index >> 8}.${index & 255}.0/24` };
  await server.api.post('subnets', { subnet });
  const port = { network_id: network.id, device_owner: 'compute:nova', device_id: 'bench' };
  await server.api.post('ports', { ports: Array.from({ length: PORTS }, () => port) });
}

/** Waits until an agent logs that all its networks are served; returns the milliseconds in that line. */
async function synchronised(agent: NeutrinoProcess, networks: number): Promise<number> {
  const served = async () => {
    const lines = agent.stderr.split('\n').slice(0, -1);
    return lines
      .filter((line) => line.includes('"networks synchronised"'))
      .map((line) => JSON.parse(line) as { readonly networks: number; readonly failed: number; readonly ms: number })
      .find((line) => line.networks === networks && line.failed === 0);
  };
  try {
    return (await waitFor(`${networks} served networks`, served, { timeoutMs: SERVED_MS, intervalMs: 10 })).ms;
  } catch (error) {
    throw new Error(`the agent does not serve ${networks} networks; its output:\n${agent.lastWords()}`, {
      cause: error,
    });
  }
}

/** Waits until each network has a dnsmasq that has all of its ports. */
async function served(host: TestHost, place: Place, networks: number): Promise<void> {
  const folder = join(place.statePath, 'dhcp');
  // One line per port, and one for the agent's own.
  const count = `cat ${folder}/*/host 2>/dev/null | grep -c . || true`;
  const known = async () =>
    Number(await host.run('sh', '-c', count)) >= networks * PORTS && (await running(host)) === networks;
  await waitFor(`dnsmasq to know ${networks * PORTS} ports`, known, SERVED_MS);
}

const running = async (host: TestHost): Promise<number> =>
  Number(await host.run('sh', '-c', "ps -e -o comm= | grep -c '^dnsmasq$' || true"));

/** Throws unless a dnsmasq runs for each network. */
async function servers(host: TestHost, networks: number): Promise<void> {
  const count = await running(host);
  if (count !== networks) throw new Error(`${count} dnsmasq processes run instead of ${networks}`);
}
