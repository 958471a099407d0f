import { join } from 'node:path';
import type { Section, World } from '../contract.ts';
import { type Load, startLoad } from '../load/load.ts';
import { type RunningNeutrino, startNeutrino } from '../neutrino.ts';
import { startFiller } from '../ports/fill.ts';
import { type BenchNetwork, makeNetwork } from '../ports/network.ts';
import { requestOfTheDay } from '../ports/request.ts';
import { ratios } from '../spread.ts';

const CONNECTIONS = 16;
const EXISTING = 100_000;

/** A network in which ports are made, and what is there already. */
interface Place {
  readonly what: string;
  readonly neutrino: RunningNeutrino;
  /** The network for the next round. */
  network(): Promise<BenchNetwork>;
}

/** Whether making a port costs more where there are many: in the database, in the network, in the pool. */
export const scaleSection: Section = {
  name: 'scale',
  title: `POST /v2.0/ports, ${CONNECTIONS} connections, beside ${EXISTING.toLocaleString('en')} existing ports`,
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
      world.progress(`putting ${EXISTING} ports each into a /8 and a /15`);
      const roomy = await makeNetwork(full.neutrino, '10.0.0.0/8');
      await filler.fill(full.statePath, roomy, { first: 0x0a000100, last: 0x0affff00 }, EXISTING);
      const tight = await makeNetwork(full.neutrino, '10.0.0.0/15');
      await filler.fill(full.statePath, tight, { first: 0x0a000100, last: 0x0a01ff00 }, EXISTING);
      return await measure(world, load, [
        {
          what: 'an empty network of an empty database',
          neutrino: empty.neutrino,
          network: () => makeNetwork(empty.neutrino),
        },
        { what: `a /8 with ${EXISTING} ports`, neutrino: full.neutrino, network: async () => roomy },
        { what: `a /15 with ${EXISTING} ports (76 % full)`, neutrino: full.neutrino, network: async () => tight },
      ]);
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

async function measure(world: World, load: Load, places: readonly Place[]) {
  const rounds = world.quick ? 3 : 7;
  const count = world.quick ? 300 : 1500;
  const rates = places.map(() => [] as number[]);
  for (let round = 0; round <= rounds; round++) {
    world.progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const [i, { neutrino, network }] of places.entries()) {
      const place = await network();
      const body = JSON.stringify({ port: requestOfTheDay(place.network, place.group) });
      const path = '/v2.0/ports';
      const job = { url: neutrino.url, method: 'POST', path, body, count, connections: CONNECTIONS, expect: 201 };
      const { perSecond } = await load.repeat(job);
      if (round > 0) rates[i]?.push(perSecond);
    }
  }
  return {
    figures: places.map(({ what }, i) => ({ what: `in ${what}`, unit: '/s', rounds: rates[i] ?? [] })),
    ratios: places.slice(1).map(({ what }, i) => ({
      what: `in ${what} / in an empty one`,
      rounds: ratios(rates[i + 1] ?? [], rates[0] ?? []),
      goal: { least: 0.8 },
    })),
  };
}
