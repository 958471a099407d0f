import { type Load, startLoad } from '../load/load.ts';
import type { RunningNeutrino } from '../neutrino.ts';

/** The same request over connections to several servers at once, a generator for each server. */
export interface LoadOnAll {
  /** `count` requests over `connections`, both split evenly. Every answer must be 201. */
  post(path: string, body: string, count: number, connections: number): Promise<LoadResult>;
  stop(): Promise<void>;
}

interface LoadResult {
  readonly perSecond: number;
  /** Until the last answer. */
  readonly seconds: number;
  /** The worst of the servers' medians. */
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
      // Each began as soon as it was told: the slowest one's time is all of them's.
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
