import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { Figure, Section, World } from '../contract.ts';
import { type Load, startLoad } from '../load/load.ts';
import { type RunningNeutrino, startNeutrino } from '../neutrino.ts';
import { startFiller } from '../ports/fill.ts';
import { makeNetwork } from '../ports/network.ts';
import { median, percentile, ratios } from '../spread.ts';

const PAGE = 100;
const SIZES = [1000, 10_000] as const;
const MOST_PAGES = 200;
const POOL = { first: 0x0a000100, last: 0x0affff00 };

/** Measures the time of a page of a list, and whether it grows with the list. */
export const listSection: Section = {
  name: 'list',
  title: `GET /v2.0/ports?limit=${PAGE}, page by page to the end, 1 connection`,
  async run(world) {
    const ends: (() => Promise<void>)[] = [];
    try {
      const load = startLoad();
      ends.push(load.stop);
      const filler = await startFiller(world.folder);
      ends.push(filler.stop);
      const lists: { readonly size: number; readonly neutrino: RunningNeutrino }[] = [];
      for (const size of SIZES) {
        world.progress(`filling a Neutrino with ${size} ports`);
        const statePath = join(world.folder, `list-${size}`);
        const neutrino = await startNeutrino({ statePath });
        ends.push(neutrino.stop);
        const place = await makeNetwork(neutrino);
        // makeNetwork has created one.
        await filler.fill(statePath, { place, pool: POOL, count: size - 1 });
        lists.push({ size, neutrino });
      }
      const http = startChild(new URL('../ports/bare-http.ts', import.meta.url));
      ends.push(http.stop);
      const first = await load.walk({
        url: lists[0]?.neutrino.url ?? '',
        path: `/v2.0/ports?limit=${PAGE}`,
        plural: 'ports',
        most: 1,
      });
      const answer = { method: 'GET', path: '/page', status: 200, body: first.firstPage };
      const { url } = await http.ask<{ url: string }>(answer);
      return await measure(world, load, lists, url);
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

async function measure(
  world: World,
  load: Load,
  lists: readonly { readonly size: number; readonly neutrino: RunningNeutrino }[],
  bareUrl: string,
) {
  const rounds = world.quick ? 3 : 7;
  const walked = lists.map(({ size }) => ({ size, page: [] as number[], slow: [] as number[] }));
  const bare: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    world.progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    const single = await load.repeat({
      url: bareUrl,
      method: 'GET',
      path: '/page',
      count: MOST_PAGES,
      connections: 1,
      expect: 200,
    });
    if (round > 0) bare.push(single.p50Ms);
    for (const [i, { size, neutrino }] of lists.entries()) {
      const path = `/v2.0/ports?limit=${PAGE}`;
      const walk = await load.walk({ url: neutrino.url, path, plural: 'ports', most: MOST_PAGES });
      if (walk.items !== size) throw new Error(`the pages contain ${walk.items} ports instead of ${size}`);
      if (round === 0) continue;
      walked[i]?.page.push(median(walk.pageMs));
      walked[i]?.slow.push(percentile(walk.pageMs, 0.99));
    }
  }
  const figures: Figure[] = walked.flatMap(({ size, page, slow }) => [
    { what: `a page of ${size} ports`, unit: 'ms', rounds: page },
    { what: `a page of ${size} ports, p99`, unit: 'ms', rounds: slow },
  ]);
  const [small, large] = walked;
  return {
    figures: [...figures, { what: 'the same page with bare Fastify', unit: 'ms', rounds: bare }],
    ratios: [
      {
        what: `a page of ${large?.size} / of ${small?.size}`,
        rounds: ratios(large?.page ?? [], small?.page ?? []),
        goal: { most: 1.5 },
      },
    ],
  };
}
