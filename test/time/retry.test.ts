import { describe, expect, it } from 'vitest';
import { retry } from '../../src/time/retry.ts';

const soon = { firstMs: 1, maxMs: 1 };

describe('retry', () => {
  it('repeats the work until it succeeds and reports each failure', async () => {
    const failed: unknown[] = [];
    const work = (failures: number) => {
      if (failures < 2) throw `refused ${failures}`;
      return `after ${failures}`;
    };
    const onFailure = (error: unknown, failures: number) => failed.push([error, failures]);
    expect(await retry(work, { ...soon, onFailure })).toBe('after 2');
    expect(failed).toEqual([
      ['refused 0', 1],
      ['refused 1', 2],
    ]);
  });

  it('throws an error that is not retriable at once', async () => {
    let attempts = 0;
    const work = () => {
      attempts += 1;
      throw new Error('broken for good');
    };
    await expect(retry(work, { ...soon, retriable: () => false })).rejects.toThrow('broken for good');
    expect(attempts).toBe(1);
  });

  it('throws the last error after its time limit', async () => {
    const work = (failures: number) => {
      throw new Error(`failure ${failures}`);
    };
    await expect(retry(work, { ...soon, giveUpAfterMs: 0 })).rejects.toThrow('failure 0');
  });

  it('ends its pause when the signal aborts, with the reason', async () => {
    const stop = new AbortController();
    const work = () => {
      throw new Error('refused');
    };
    const onFailure = () => stop.abort(new Error('closing'));
    await expect(retry(work, { firstMs: 60_000, maxMs: 60_000, signal: stop.signal, onFailure })).rejects.toThrow(
      'closing',
    );
  });
});
