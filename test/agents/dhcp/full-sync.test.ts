import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DelayQueue } from '../../../src/agents/dhcp/delay-queue.ts';
import { FullSync } from '../../../src/agents/dhcp/full-sync.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('full syncs', () => {
  let runs: { reasons: readonly string[]; end: PromiseWithResolvers<void> }[];
  let lines: string[];
  let fullSync: FullSync;
  const settle = () => vi.advanceTimersByTimeAsync(0);

  beforeEach(() => {
    runs = [];
    lines = [];
    fullSync = new FullSync({
      sync: (reasons) => {
        const end = Promise.withResolvers<void>();
        runs.push({ reasons, end });
        return end.promise;
      },
      throttleMs: 1_000,
      log: pino({ level: 'info' }, { write: (line) => lines.push(line) }),
    });
  });
  afterEach(() => fullSync.close());

  it('run one at a time; what is wanted meanwhile is one more', async () => {
    fullSync.request('start');
    fullSync.request('revived');
    fullSync.request('switched on');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(runs.map((run) => run.reasons)).toEqual([['start']]);
    runs[0]?.end.resolve();
    await settle();
    expect(runs.map((run) => run.reasons)).toEqual([['start'], ['revived', 'switched on']]);
  });

  it('keep their distance', async () => {
    fullSync.request('one');
    runs[0]?.end.resolve();
    await settle();
    fullSync.request('two');
    await vi.advanceTimersByTimeAsync(999);
    expect(runs).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs).toHaveLength(2);
  });

  it('are tried again until one works, for the same reasons, and logged once', async () => {
    fullSync.request('start');
    for (let tries = 0; tries < 5; tries += 1) {
      runs.at(-1)?.end.reject(new Error('no answer'));
      await vi.advanceTimersByTimeAsync(31_000);
    }
    expect(runs.map((run) => run.reasons)).toEqual(Array(6).fill(['start']));
    expect(lines).toHaveLength(1);
    runs.at(-1)?.end.resolve();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(runs).toHaveLength(6);
  });

  it('do not wait for the next try when there is a new reason', async () => {
    fullSync.request('start');
    for (let tries = 0; tries < 6; tries += 1) {
      runs.at(-1)?.end.reject(new Error('no answer'));
      if (tries < 5) await vi.advanceTimersByTimeAsync(31_000);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(runs).toHaveLength(6);
    fullSync.request('the server was out of reach');
    await settle();
    expect(runs[6]?.reasons).toEqual(['start', 'the server was out of reach']);
  });

  it('come no more after close', async () => {
    fullSync.request('start');
    fullSync.close();
    fullSync.request('more');
    runs[0]?.end.reject(new Error('closed'));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(runs).toHaveLength(1);
    expect(lines).toEqual([]);
  });
});

describe('the delay queue', () => {
  it('looks at each network once, at the earlier of two moments, and says why', async () => {
    const due: string[] = [];
    const queue = new DelayQueue((networkId, reason) => due.push(`${networkId}: ${reason}`));
    queue.put('n1', 500, 'failed');
    queue.put('n1', 100, 'died');
    queue.put('n1', 900, 'failed again');
    queue.put('n2', 200, 'held');
    await vi.advanceTimersByTimeAsync(100);
    expect(due).toEqual(['n1: died']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(due).toEqual(['n1: died', 'n2: held']);
  });

  it('is empty after close', async () => {
    const due: string[] = [];
    const queue = new DelayQueue((networkId) => due.push(networkId));
    queue.put('n1', 10, 'x');
    queue.close();
    queue.put('n2', 10, 'x');
    await vi.advanceTimersByTimeAsync(100);
    expect(due).toEqual([]);
  });
});
