import { join } from 'node:path';
import type { Figure, Ratio, Section, World } from '../contract.ts';
import { type Load, startLoad } from '../load/load.ts';
import { makeNetwork } from '../ports/network.ts';
import { ratios } from '../spread.ts';
import { type Authenticated, STRATEGIES } from './strategies.ts';

const CONNECTIONS = 16;
const PAGE = 100;
const PATH = '/v2.0/ports';
const GOAL = { least: 0.9 } as const;

/** Measures what authentication costs: the same requests of a member under each `auth_strategy`, with a token that is known. */
export const authSection: Section = {
  name: 'auth',
  title: `POST ${PATH} and GET ${PATH}?limit=${PAGE} as a member, ${CONNECTIONS} connections, by auth_strategy`,
  async run(world) {
    const ends: (() => Promise<void>)[] = [];
    try {
      const load = startLoad();
      ends.push(load.stop);
      const subjects: Subject[] = [];
      for (const { name, obstacle, start } of STRATEGIES) {
        const why = obstacle?.();
        world.progress(why === undefined ? `starting Neutrino with ${name}` : `${name} is not measured: ${why}`);
        if (why !== undefined) continue;
        const neutrino = await start(join(world.folder, name), (end) => void ends.push(end));
        subjects.push({ neutrino, list: await fullPage(load, neutrino), posts: [], pages: [] });
      }
      return await measure(world, load, subjects);
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

interface Subject {
  readonly neutrino: Authenticated;
  /** Path of a list of `PAGE` ports, which does not change. */
  readonly list: string;
  readonly posts: number[];
  readonly pages: number[];
}

/** Creates ports in a new network. */
async function post(load: Load, { url, token, api }: Authenticated, count: number) {
  const { network, group } = await makeNetwork({ api });
  // The request of the day without what only administrators may set.
  const port = { network_id: network, device_owner: 'compute:nova', device_id: 'bench', security_groups: [group] };
  const job = { method: 'POST', path: PATH, body: JSON.stringify({ port }), connections: CONNECTIONS, expect: 201 };
  const { perSecond } = await load.repeat({ ...job, url, token, count });
  return { network, perSecond };
}

/** Creates a network with at least a page of ports; returns the path of their list. */
async function fullPage(load: Load, neutrino: Authenticated): Promise<string> {
  const { network } = await post(load, neutrino, PAGE);
  return `${PATH}?limit=${PAGE}&network_id=${network}`;
}

async function measure(world: World, load: Load, subjects: readonly Subject[]) {
  const rounds = world.quick ? 3 : 7;
  const [posts, pages] = world.quick ? [300, 300] : [2000, 2000];
  for (let round = 0; round <= rounds; round++) {
    world.progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    // Each round begins with another one, because the first one finds the disk as the last one has left it.
    for (const subject of [...subjects.slice(round % subjects.length), ...subjects.slice(0, round % subjects.length)]) {
      const { neutrino, list } = subject;
      const made = await post(load, neutrino, posts);
      const { url, token } = neutrino;
      const job = { method: 'GET', path: list, connections: CONNECTIONS, expect: 200 };
      const listed = await load.repeat({ ...job, url, token, count: pages });
      if (round === 0) continue;
      subject.posts.push(made.perSecond);
      subject.pages.push(listed.perSecond);
    }
  }
  const [plain, ...others] = subjects;
  const figures = subjects.flatMap(({ neutrino: { name }, ...seen }): Figure[] => [
    { what: `${name}: ports created`, unit: '/s', rounds: seen.posts },
    { what: `${name}: pages of ${PAGE} ports`, unit: '/s', rounds: seen.pages },
  ]);
  const compared = others.flatMap(({ neutrino: { name }, ...seen }): Ratio[] => [
    { what: `ports: ${name} / noauth`, rounds: ratios(seen.posts, plain?.posts ?? []), goal: GOAL },
    { what: `pages: ${name} / noauth`, rounds: ratios(seen.pages, plain?.pages ?? []), goal: GOAL },
  ]);
  return { figures, ratios: compared };
}
