import { join } from 'node:path';
import { type Child, startChild } from '../child.ts';
import type { Section, World } from '../contract.ts';
import { type Load, startLoad } from '../load/load.ts';
import { type RunningNeutrino, startNeutrino } from '../neutrino.ts';
import { inSeries, ratios } from '../spread.ts';
import type { RowsJob, RowsResult } from './bare-rows.ts';
import { type FirstPort, makeFirstPort } from './first-port.ts';
import { makeNetwork } from './network.ts';
import { requestOfTheDay } from './request.ts';

const CONNECTIONS = 16;
const PATH = '/v2.0/ports';

/** Measures ports created per second, compared with the limit of the bare database and HTTP server. */
export const portsSection: Section = {
  name: 'ports',
  title: `POST ${PATH}, ${CONNECTIONS} connections, SQLite, every commit on disk`,
  async run(world) {
    const ends: (() => Promise<void>)[] = [];
    try {
      world.progress('starting Neutrino and the bare components');
      const barePath = join(world.folder, 'bare', 'neutrino.sqlite');
      const first = await makeFirstPort(barePath);
      const load = startLoad();
      ends.push(load.stop);
      const rows = startChild(new URL('./bare-rows.ts', import.meta.url));
      ends.push(rows.stop);
      const http = startChild(new URL('./bare-http.ts', import.meta.url));
      ends.push(http.stop);
      const neutrino = await startNeutrino({ statePath: join(world.folder, 'ports') });
      ends.push(neutrino.stop);
      return await measure(world, { first, barePath, load, rows, http, neutrino });
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

interface Parts {
  readonly first: FirstPort;
  readonly barePath: string;
  readonly load: Load;
  readonly rows: Child;
  readonly http: Child;
  readonly neutrino: RunningNeutrino;
}

async function measure(world: World, { first, barePath, load, rows, http, neutrino }: Parts) {
  const rounds = world.quick ? 3 : 7;
  const count = world.quick ? 500 : 3000;
  const { url: bareUrl } = await http.ask<{ url: string }>({
    method: 'POST',
    path: PATH,
    status: 201,
    body: first.answer,
  });
  const request = (network: string, group: string) => JSON.stringify({ port: requestOfTheDay(network, group) });

  let written = 0;
  const bareRows = async (ports: number) => {
    const { patterns, names, pool } = first;
    const place = { network: names.network, subnet: names.subnet, group: names.group, pool };
    const job: RowsJob = { path: barePath, patterns, ...place, from: written, count: ports, perTransaction: 1 };
    written += ports;
    return (await rows.ask<RowsResult>(job)).perSecond;
  };
  const bareHttp = (answers: number) => {
    const body = request(first.names.network, first.names.group);
    return load.repeat({
      url: bareUrl,
      method: 'POST',
      path: PATH,
      body,
      count: answers,
      connections: CONNECTIONS,
      expect: 201,
    });
  };
  // A new network for each round, so that all begin alike.
  const ours = async (ports: number, connections: number) => {
    const { network, group } = await makeNetwork(neutrino);
    const body = request(network, group);
    return load.repeat({ url: neutrino.url, method: 'POST', path: PATH, body, count: ports, connections, expect: 201 });
  };

  world.progress('warming up');
  await Promise.all([bareRows(count), bareHttp(count)]);
  await ours(count, CONNECTIONS);
  const figures = { ours: [] as number[], rows: [] as number[], http: [] as number[], one: [] as number[] };
  const latency = { p50: [] as number[], p99: [] as number[] };
  for (let round = 1; round <= rounds; round++) {
    world.progress(`round ${round} of ${rounds}`);
    figures.rows.push(await bareRows(count));
    figures.http.push((await bareHttp(count * 4)).perSecond);
    const result = await ours(count, CONNECTIONS);
    figures.ours.push(result.perSecond);
    latency.p50.push(result.p50Ms);
    latency.p99.push(result.p99Ms);
    figures.one.push((await ours(Math.ceil(count / 4), 1)).perSecond);
  }
  const limit = figures.rows.map((a, i) => inSeries(a, figures.http[i] ?? Number.NaN));
  return {
    figures: [
      { what: 'Neutrino', unit: '/s', rounds: figures.ours },
      { what: 'Neutrino, p50 per request', unit: 'ms', rounds: latency.p50 },
      { what: 'Neutrino, p99 per request', unit: 'ms', rounds: latency.p99 },
      { what: 'Neutrino, 1 connection', unit: '/s', rounds: figures.one },
      {
        what: 'a: the same rows with node:sqlite, one transaction per port',
        unit: '/s',
        rounds: figures.rows,
        note: first.patterns.map((p) => p.table).join(', '),
      },
      { what: 'b: bare Fastify, parsing the POST and returning the same body', unit: '/s', rounds: figures.http },
      { what: 'limit: 1/(1/a + 1/b)', unit: '/s', rounds: limit },
    ],
    ratios: [{ what: 'Neutrino / limit', rounds: ratios(figures.ours, limit), goal: { least: 0.4 } }],
  };
}
