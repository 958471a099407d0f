import { type Child, startChild } from '../child.ts';
import type { Section, World } from '../contract.ts';
import { type Load, startLoad } from '../load/load.ts';
import { makeNetwork } from '../ports/network.ts';
import { requestOfTheDay } from '../ports/request.ts';
import { inSeries, ratios } from '../spread.ts';
import { type BareDatabase, makeBareDatabase } from './bare-database.ts';
import type { MysqlRowsJob, MysqlRowsResult } from './bare-rows.ts';
import { type LoadOnAll, startLoadOnAll } from './load-on-all.ts';
import { siteObstacle } from './obstacle.ts';
import { type Site, startSite } from './site.ts';

const SERVERS = 2;
const CONNECTIONS = 16;
const PATH = '/v2.0/ports';

/** Measures ports created per second on MariaDB, compared with the limit of the bare driver and HTTP server. */
export const mariadbSection: Section = {
  name: 'mariadb',
  title: `POST ${PATH} to ${SERVERS} servers, ${CONNECTIONS} connections in total, MariaDB, flushed on every commit`,
  obstacle: siteObstacle,
  async run(world) {
    const ends: (() => Promise<void>)[] = [];
    try {
      world.progress('starting MariaDB, RabbitMQ and the servers');
      const site = await startSite({ folder: world.folder, servers: SERVERS });
      ends.push(site.stop);
      const bare = await makeBareDatabase(await site.mariadb.database(), world.folder);
      const load = startLoadOnAll(site.servers);
      ends.push(load.stop);
      const httpLoad = startLoad();
      ends.push(httpLoad.stop);
      const rows = startChild(new URL('./bare-rows.ts', import.meta.url));
      ends.push(rows.stop);
      const http = startChild(new URL('../ports/bare-http.ts', import.meta.url));
      ends.push(http.stop);
      return await measure(world, { site, bare, load, httpLoad, rows, http });
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

interface Parts {
  readonly site: Site;
  readonly bare: BareDatabase;
  readonly load: LoadOnAll;
  readonly httpLoad: Load;
  readonly rows: Child;
  readonly http: Child;
}

async function measure(world: World, { site, bare, load, httpLoad, rows, http }: Parts) {
  const rounds = world.quick ? 3 : 7;
  const count = world.quick ? 320 : 1600;
  const [server] = site.servers;
  if (!server) throw new Error('no server runs');
  const answer = { method: 'POST', path: PATH, status: 201, body: bare.answer };
  const { url: bareUrl } = await http.ask<{ url: string }>(answer);
  const bodyFor = (network: string, group: string) => JSON.stringify({ port: requestOfTheDay(network, group) });

  let written = 0;
  const bareRows = async (ports: number) => {
    const job: MysqlRowsJob = { ...bare.job, from: written, count: ports, connections: CONNECTIONS };
    written += ports;
    return (await rows.ask<MysqlRowsResult>(job)).perSecond;
  };
  const bareHttp = (answers: number) =>
    httpLoad.repeat({
      url: bareUrl,
      method: 'POST',
      path: PATH,
      body: bodyFor(bare.job.network, bare.job.group),
      count: answers,
      connections: CONNECTIONS,
      expect: 201,
    });
  // A new network for each round, so that all begin alike.
  const ours = async (ports: number, connections: number) => {
    const { network, group } = await makeNetwork(server);
    return load.post(PATH, bodyFor(network, group), ports, connections);
  };

  world.progress('warming up');
  await bareRows(count);
  await bareHttp(count);
  await ours(count, CONNECTIONS);
  const figures = { ours: [] as number[], rows: [] as number[], http: [] as number[] };
  const latency = { p50: [] as number[], p99: [] as number[] };
  for (let round = 1; round <= rounds; round++) {
    world.progress(`round ${round} of ${rounds}`);
    figures.rows.push(await bareRows(count));
    figures.http.push((await bareHttp(count * 4)).perSecond);
    const result = await ours(count, CONNECTIONS);
    figures.ours.push(result.perSecond);
    latency.p50.push(result.p50Ms);
    latency.p99.push(result.p99Ms);
  }
  const limit = figures.rows.map((a, i) => inSeries(a, figures.http[i] ?? Number.NaN));
  return {
    figures: [
      { what: `Neutrino, ${SERVERS} servers`, unit: '/s', rounds: figures.ours },
      { what: 'Neutrino, p50 per request', unit: 'ms', rounds: latency.p50 },
      { what: 'Neutrino, p99 per request', unit: 'ms', rounds: latency.p99 },
      {
        what: `a: the same rows with mysql2, ${CONNECTIONS} connections, one transaction per port`,
        unit: '/s',
        rounds: figures.rows,
        note: bare.job.patterns.map((p) => p.table).join(', '),
      },
      { what: 'b: bare Fastify, parsing the POST and returning the same body', unit: '/s', rounds: figures.http },
      { what: 'limit: 1/(1/a + 1/b)', unit: '/s', rounds: limit },
    ],
    ratios: [{ what: 'Neutrino / limit', rounds: ratios(figures.ours, limit), goal: { least: 0.4 } }],
  };
}
