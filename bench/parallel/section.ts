import { join } from 'node:path';
import type { Figure, Ratio, Section, SectionResult, World } from '../contract.ts';
import { type LoadOnAll, startLoadOnAll } from '../mariadb/load-on-all.ts';
import { siteObstacle } from '../mariadb/obstacle.ts';
import { startSite } from '../mariadb/site.ts';
import { type RunningNeutrino, startNeutrino } from '../neutrino.ts';
import { makeNetwork } from '../ports/network.ts';
import { requestOfTheDay } from '../ports/request.ts';
import { ratios } from '../spread.ts';

const PORTS = 250;
const FEW = 16;
const PATH = '/v2.0/ports';
/** 253 addresses, one of which belongs to makeNetwork's own port: all but two are allocated in the end. */
const CIDR = '10.0.0.0/24';

/** Measures many simultaneous creations: each must return 201 on its first attempt, and all addresses must be distinct. */
export const parallelSection: Section = {
  name: 'parallel',
  title: `${PORTS} × POST ${PATH} simultaneously, each on its own connection, in one network with a /24`,
  async run(world) {
    const results: SectionResult[] = [];
    world.progress('starting Neutrino on SQLite');
    const one = await startNeutrino({ statePath: join(world.folder, 'sqlite') });
    try {
      results.push(await measure(world, 'SQLite', [one]));
    } finally {
      await one.stop();
    }
    const obstacle = siteObstacle();
    if (obstacle !== undefined) {
      world.progress(`not on MariaDB: ${obstacle}`);
      return merged(results);
    }
    world.progress('starting MariaDB, RabbitMQ and two servers');
    const site = await startSite({ folder: join(world.folder, 'mariadb'), servers: 2 });
    try {
      results.push(await measure(world, 'MariaDB, 2 servers', site.servers));
    } finally {
      await site.stop();
    }
    return merged(results);
  },
};

const merged = (results: readonly SectionResult[]): SectionResult => ({
  figures: results.flatMap(({ figures }): readonly Figure[] => figures),
  ratios: results.flatMap(({ ratios: some }): readonly Ratio[] => some),
});

async function measure(world: World, where: string, servers: readonly RunningNeutrino[]): Promise<SectionResult> {
  const rounds = world.quick ? 3 : 15;
  const load = startLoadOnAll(servers);
  try {
    const all: number[] = [];
    const slowest: number[] = [];
    const few: number[] = [];
    await fillNetwork(servers, load, PORTS);
    await fillNetwork(servers, load, FEW);
    for (let round = 1; round <= rounds; round++) {
      world.progress(`${where}: round ${round} of ${rounds}`);
      const result = await fillNetwork(servers, load, PORTS);
      all.push(result.seconds * 1000);
      slowest.push(result.p99Ms);
      few.push((await fillNetwork(servers, load, FEW)).seconds * 1000);
    }
    return {
      figures: [
        { what: `${where}: ${PORTS} simultaneously, until the last 201`, unit: 'ms', rounds: all, note: NO_ERROR },
        { what: `${where}: ${PORTS} simultaneously, p99 per request`, unit: 'ms', rounds: slowest },
        { what: `${where}: ${PORTS} over ${FEW} connections`, unit: 'ms', rounds: few },
      ],
      ratios: [{ what: `${where}: simultaneously / over ${FEW} connections`, rounds: ratios(all, few) }],
    };
  } finally {
    await load.stop();
  }
}

/** Checked by the load generator and by listing the ports. */
const NO_ERROR = 'every response 201 on the first attempt, all addresses distinct';

/** Creates ports in a new network. Throws for any response except 201, and unless all ports exist with distinct addresses. */
async function fillNetwork(servers: readonly RunningNeutrino[], load: LoadOnAll, connections: number) {
  const [server] = servers;
  if (!server) throw new Error('no server runs');
  const { network, group } = await makeNetwork(server, CIDR);
  const body = JSON.stringify({ port: requestOfTheDay(network, group) });
  const result = await load.post(PATH, body, PORTS, connections);
  type Port = { readonly fixed_ips: readonly { readonly ip_address: string }[] };
  const { ports } = await server.api.get<{ ports: readonly Port[] }>(`ports?network_id=${network}&fields=fixed_ips`);
  const addresses = new Set(ports.flatMap((port) => port.fixed_ips.map((ip) => ip.ip_address)));
  if (ports.length !== PORTS + 1 || addresses.size !== PORTS + 1)
    throw new Error(`${ports.length} ports with ${addresses.size} addresses instead of ${PORTS + 1}`);
  return result;
}
