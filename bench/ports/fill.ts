import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { RowsJob, RowsResult } from './bare-rows.ts';
import { type FirstPort, makeFirstPort } from './first-port.ts';
import type { BenchNetwork } from './network.ts';

/** Ports to add to a network. */
interface Filling {
  readonly place: BenchNetwork;
  /** Address range, as numbers; it must be large enough. */
  readonly pool: RowsJob['pool'];
  readonly count: number;
  /** Number of ports added to the network before; default: 0. */
  readonly from?: number;
  /** Default: 1000. */
  readonly perTransaction?: number;
}

/** Inserts ports directly into Neutrino's database, with the rows that its API would insert. */
export interface Filler {
  /** Returns the ports per second. */
  fill(statePath: string, filling: Filling): Promise<number>;
  stop(): Promise<void>;
}

const PER_TRANSACTION = 1000;
const FILL_MS = 600_000;

/** `folder`: for the database of the sample port, which shows the rows of a port. */
export async function startFiller(folder: string): Promise<Filler> {
  const first: FirstPort = await makeFirstPort(join(folder, 'pattern', 'neutrino.sqlite'));
  // Without events, which would keep the relay busy during measurements.
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
