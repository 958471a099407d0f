import { describe, expect, it } from 'vitest';
import { backoffDelay } from '../../src/time/backoff.ts';
import { pause } from '../../src/time/pause.ts';

describe('backoffDelay', () => {
  const bounds = { firstMs: 100, maxMs: 1_000 };

  it('doubles from the first pause to the maximum', () => {
    expect([1, 2, 3, 4, 5, 500].map((failures) => backoffDelay(failures, bounds, () => 0))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  it('is shortened at random by up to a quarter', () => {
    expect(backoffDelay(3, bounds, () => 1)).toBe(300);
  });
});

describe('pause', () => {
  it('ends early when its signal aborts', async () => {
    const stop = new AbortController();
    const waiting = pause(60_000, stop.signal);
    stop.abort();
    expect(await waiting).toBe(false);
    expect(await pause(60_000, stop.signal)).toBe(false);
    expect(await pause(1)).toBe(true);
  });
});
