import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { RowsJob, RowsResult } from './bare-rows.ts';
import { type FirstPort, makeFirstPort } from './first-port.ts';
import type { BenchNetwork } from './network.ts';

/** Ports to put into a network. */
interface Filling {
  readonly place: BenchNetwork;
  /** Where addresses lie, as numbers; it must have room. */
  readonly pool: RowsJob['pool'];
  readonly count: number;
  /** How many ports were put into the network before; default: none. */
  readonly from?: number;
  /** Default: 1000. */
  readonly perTransaction?: number;
}

/** Puts ports into a Neutrino's database without asking it, as the rows that its API would have made. */
export interface Filler {
  /** Returns the ports per second. */
  fill(statePath: string, filling: Filling): Promise<number>;
  stop(): Promise<void>;
}

const PER_TRANSACTION = 1000;
const FILL_MS = 600_000;

/** `folder`: where to make the one port that shows which rows a port has. */
export async function startFiller(folder: string): Promise<Filler> {
  const first: FirstPort = await makeFirstPort(join(folder, 'pattern', 'neutrino.sqlite'));
  // Nobody is to be told of these ports: the relay would be busy with them while other things are measured.
  const patterns = first.patterns.filter((p) => p.table !== 'outbox');
  const child = startChild(new URL('./bare-rows.ts', import.meta.url));
  return {
    async fill(statePath, { place, pool, count, from = 0, perTransaction = PER_TRANSACTION }) {
      const path = join(statePath, 'neutrino.sqlite');
      const job: RowsJob = { path, patterns, ...place, pool, from, count, perTransaction };
      return (await child.ask<RowsResult>(job, FILL_MS)).perSecond;
    },
    stop: () => child.stop(),
  };
}
