import { describe, expect, it } from 'vitest';
import { backoffDelay, retry } from '../../../src/agents/common/backoff.ts';

describe('backoffDelay', () => {
  const bounds = { firstMs: 100, maxMs: 1_000 };

  it('doubles from the first pause to the longest', () => {
    expect([1, 2, 3, 4, 5, 500].map((failures) => backoffDelay(failures, bounds, () => 0))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  it('draws a shorter one, by a quarter at most', () => {
    expect(backoffDelay(3, bounds, () => 1)).toBe(300);
    expect(backoffDelay(3, { ...bounds, jitter: 0 }, () => 1)).toBe(400);
  });
});

describe('retry', () => {
  const fast = { firstMs: 1, maxMs: 2 };

  it('tries until it succeeds, telling each failure', async () => {
    const told: number[] = [];
    let tries = 0;
    const result = await retry(
      async () => {
        tries += 1;
        if (tries < 3) throw new Error(`try ${tries}`);
        return 'done';
      },
      { ...fast, attempts: 5, onRetry: (_error, failures) => told.push(failures) },
    );
    expect([result, told]).toEqual(['done', [1, 2]]);
  });

  it('gives up after so many tries, with the last error', async () => {
    let tries = 0;
    const failing = retry(
      async () => {
        tries += 1;
        throw new Error(`try ${tries}`);
      },
      { ...fast, attempts: 3 },
    );
    await expect(failing).rejects.toThrow('try 3');
    expect(tries).toBe(3);
  });

  it('does not try again what is not worthwhile, or once stopped', async () => {
    let tries = 0;
    const fail = async () => {
      tries += 1;
      throw new Error('refused');
    };
    await expect(retry(fail, { ...fast, attempts: 3, worthwhile: () => false })).rejects.toThrow('refused');
    const stop = new AbortController();
    const stopped = retry(fail, {
      firstMs: 60_000,
      maxMs: 60_000,
      attempts: 3,
      stop: stop.signal,
      onRetry: () => stop.abort(),
    });
    await expect(stopped).rejects.toThrow('refused');
    expect(tries).toBe(2);
  });
});
