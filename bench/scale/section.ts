import { join } from 'node:path';
import type { Section, World } from '../contract.ts';
import { type Load, startLoad } from '../load/load.ts';
import { type RunningNeutrino, startNeutrino } from '../neutrino.ts';
import { type Filler, startFiller } from '../ports/fill.ts';
import { type BenchNetwork, makeNetwork } from '../ports/network.ts';
import { requestOfTheDay } from '../ports/request.ts';
import { ratios } from '../spread.ts';

const CONNECTIONS = 16;
const EXISTING = 100_000;
const PATH = '/v2.0/ports';
/** Addresses outside the pool of requests, for the rows that the bare driver inserts between requests. */
const ASIDE = { first: 0xac100000, last: 0xac1fffff };

/** A network for new ports, and its existing ports. */
interface Place {
  readonly what: string;
  readonly neutrino: RunningNeutrino;
  readonly statePath: string;
  /** Ports inserted by the filler. */
  readonly filled: number;
  /** Returns the network for the next round. */
  network(): Promise<BenchNetwork>;
}

/** Measures whether creating a port takes longer if there are many: in the database, in the network, in the pool. */
export const scaleSection: Section = {
  name: 'scale',
  title: `POST ${PATH}, ${CONNECTIONS} connections, with ${EXISTING.toLocaleString('en')} existing ports`,
  async run(world) {
    const ends: (() => Promise<void>)[] = [];
    try {
      const load = startLoad();
      ends.push(load.stop);
      const filler = await startFiller(world.folder);
      ends.push(filler.stop);
      const start = async (name: string) => {
        const statePath = join(world.folder, name);
        const neutrino = await startNeutrino({ statePath });
        ends.push(neutrino.stop);
        return { statePath, neutrino };
      };
      const empty = await start('empty');
      const full = await start('full');
      world.progress(`inserting ${EXISTING} ports each in a /8 and a /15`);
      const filled = async (cidr: string, last: number) => {
        const place = await makeNetwork(full.neutrino, cidr);
        await filler.fill(full.statePath, { place, pool: { first: 0x0a000100, last }, count: EXISTING });
        return { ...full, filled: EXISTING, network: async () => place };
      };
      return await measure(world, load, filler, [
        {
          what: 'an empty network of an empty database',
          ...empty,
          filled: 0,
          network: () => makeNetwork(empty.neutrino),
        },
        { what: `a /8 with ${EXISTING} ports`, ...(await filled('10.0.0.0/8', 0x0affff00)) },
        { what: `a /15 with ${EXISTING} ports (76 % full)`, ...(await filled('10.0.0.0/15', 0x0a01ff00)) },
      ]);
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

async function measure(world: World, load: Load, filler: Filler, places: readonly Place[]) {
  const rounds = world.quick ? 3 : 9;
  const count = world.quick ? 300 : 1500;
  const rates = places.map(() => ({ ours: [] as number[], bare: [] as number[] }));
  for (let round = 0; round <= rounds; round++) {
    world.progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const [i, { neutrino, statePath, filled, network }] of places.entries()) {
      const place = await network();
      const body = JSON.stringify({ port: requestOfTheDay(place.network, place.group) });
      const job = { url: neutrino.url, method: 'POST', path: PATH, body, count, connections: CONNECTIONS, expect: 201 };
      const { perSecond } = await load.repeat(job);
      const from = filled + round * count;
      const bare = await filler.fill(statePath, { place, pool: ASIDE, count, from, perTransaction: 1 });
      if (round === 0) continue;
      rates[i]?.ours.push(perSecond);
      rates[i]?.bare.push(bare);
    }
  }
  const [empty, ...full] = rates;
  return {
    figures: places.flatMap(({ what }, i) => [
      { what: `in ${what}`, unit: '/s', rounds: rates[i]?.ours ?? [] },
      { what: '   the same rows with node:sqlite, one transaction per port', unit: '/s', rounds: rates[i]?.bare ?? [] },
    ]),
    ratios: full.flatMap((rate, i) => [
      {
        what: `in ${places[i + 1]?.what} / in an empty one`,
        rounds: ratios(rate.ours, empty?.ours ?? []),
        goal: { least: 0.5 },
      },
      { what: '   the same ratio with node:sqlite', rounds: ratios(rate.bare, empty?.bare ?? []) },
    ]),
  };
}
