import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { Section, World } from '../contract.ts';
import { startNeutrino } from '../neutrino.ts';
import { ratios } from '../spread.ts';
import type { GroupsJob } from './bare-groups.ts';

const GROUPS = 1000;
const RULES = 100;
const FILL_MS = 300_000;
/** Length of a rule in JSON, at least. */
const LEAST_BYTES = 300;

type Ask = (job: GroupsJob, timeoutMs?: number) => Promise<{ readonly url?: string; readonly ms?: number }>;

/** Measures a list of many security groups with many rules. */
export const groupsSection: Section = {
  name: 'groups',
  title: `GET /v2.0/security-groups: ${GROUPS.toLocaleString('en')} groups with ${RULES} rules each, 1 connection`,
  async run(world) {
    const ends: (() => Promise<void>)[] = [];
    try {
      const statePath = join(world.folder, 'groups');
      const neutrino = await startNeutrino({ statePath });
      ends.push(neutrino.stop);
      const bare = startChild(new URL('./bare-groups.ts', import.meta.url));
      ends.push(bare.stop);
      const ask: Ask = (job, timeoutMs) => bare.ask(job, timeoutMs);
      const path = join(statePath, 'neutrino.sqlite');
      world.progress(`filling a Neutrino with ${GROUPS} groups`);
      await ask({ kind: 'fill', path, groups: GROUPS, rules: RULES }, FILL_MS);
      const { url = '' } = await ask({ kind: 'serve', path });
      return await measure(world, ask, { path, ours: neutrino.url, bare: url });
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

/** Returns the milliseconds until the last byte of a response. The load generator keeps what it receives, this only counts it. */
async function timeOf(url: string): Promise<number> {
  const began = performance.now();
  const response = await new Promise<IncomingMessage>((resolve, reject) => get(url, resolve).on('error', reject));
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  if (response.statusCode !== 200 || bytes < GROUPS * RULES * LEAST_BYTES)
    throw new Error(`${url}: status ${response.statusCode}, ${bytes} bytes`);
  return performance.now() - began;
}

async function measure(
  world: World,
  ask: Ask,
  { path, ours, bare }: { readonly path: string; readonly ours: string; readonly bare: string },
) {
  const rounds = world.quick ? 3 : 9;
  const took = { ours: [] as number[], bare: [] as number[], query: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    world.progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    const list = await timeOf(`${ours}/v2.0/security-groups`);
    const served = await timeOf(`${bare}/groups`);
    const { ms = 0 } = await ask({ kind: 'query', path });
    if (round === 0) continue;
    took.ours.push(list);
    took.bare.push(served);
    took.query.push(ms);
  }
  return {
    figures: [
      { what: 'Neutrino', unit: 'ms', rounds: took.ours },
      { what: 'the same rows with node:sqlite and bare Fastify', unit: 'ms', rounds: took.bare },
      { what: '   of which the queries', unit: 'ms', rounds: took.query },
    ],
    ratios: [{ what: 'Neutrino / bare', rounds: ratios(took.ours, took.bare), goal: { most: 2 } }],
  };
}
