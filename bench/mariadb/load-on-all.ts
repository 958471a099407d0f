import { type Load, startLoad } from '../load/load.ts';
import type { RunningNeutrino } from '../neutrino.ts';

/** Sends the same request to several servers at the same time, with a generator per server. */
export interface LoadOnAll {
  /** Sends `count` requests over `connections`, both split evenly. Every response must be 201. */
  post(path: string, body: string, count: number, connections: number): Promise<LoadResult>;
  stop(): Promise<void>;
}

interface LoadResult {
  readonly perSecond: number;
  /** Milliseconds until the last response. */
  readonly seconds: number;
  /** The highest median of the servers. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function startLoadOnAll(servers: readonly RunningNeutrino[]): LoadOnAll {
  const loads = servers.map((server): { server: RunningNeutrino; load: Load } => ({ server, load: startLoad() }));
  const share = (whole: number) => Math.ceil(whole / loads.length);
  return {
    async post(path, body, count, connections) {
      const job = { method: 'POST', path, body, count: share(count), connections: share(connections), expect: 201 };
      const results = await Promise.all(loads.map(({ server, load }) => load.repeat({ ...job, url: server.url })));
      // All began at the same time: the slowest one determines the total.
      const seconds = Math.max(...results.map(({ perSecond }) => job.count / perSecond));
      return {
        seconds,
        perSecond: (job.count * loads.length) / seconds,
        p50Ms: Math.max(...results.map((one) => one.p50Ms)),
        p99Ms: Math.max(...results.map((one) => one.p99Ms)),
      };
    },
    async stop() {
      for (const { load } of loads) await load.stop();
    },
  };
}
