import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { RowsJob, RowsResult } from './bare-rows.ts';
import { type FirstPort, makeFirstPort } from './first-port.ts';
import type { BenchNetwork } from './network.ts';

const PER_TRANSACTION = 1000;

/** Puts ports into a Neutrino's database quickly, as the rows that the API would have made. */
export interface Filler {
  /**
   * `pool`: where addresses lie, as numbers; it must have room.
   * `from`: how many ports were put into the network before.
   */
  fill(statePath: string, place: BenchNetwork, pool: RowsJob['pool'], count: number, from?: number): Promise<void>;
  stop(): Promise<void>;
}

/** `folder`: where to make the one port that shows which rows a port has. */
export async function startFiller(folder: string): Promise<Filler> {
  const first: FirstPort = await makeFirstPort(join(folder, 'pattern', 'neutrino.sqlite'));
  // Nobody is to be told of these ports: the relay would be busy with them while other things are measured.
  const patterns = first.patterns.filter((p) => p.table !== 'outbox');
  const child = startChild(new URL('./bare-rows.ts', import.meta.url));
  return {
    async fill(statePath, place, pool, count, from = 0) {
      const path = join(statePath, 'neutrino.sqlite');
      const job: RowsJob = { path, patterns, ...place, pool, from, count, perTransaction: PER_TRANSACTION };
      await child.ask<RowsResult>(job, 600_000);
    },
    stop: () => child.stop(),
  };
}
