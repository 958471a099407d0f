import { describe, expect, it } from 'vitest';
import { RetrySchedule } from '../../src/notifier/retry-schedule.ts';

describe('keys whose events could not be published', () => {
  it('wait until their next try, each independently', () => {
    const retries = new RetrySchedule();
    retries.failed('a', 1_000);
    retries.failed('b', 1_000);
    retries.failed('b', 1_000);
    expect(retries.waiting(1_050)).toEqual(['a', 'b']);
    expect(retries.waiting(1_120)).toEqual(['b']);
    expect(retries.nextTry(1_120)).toBeGreaterThanOrEqual(1_150);
    expect(retries.waiting(1_300)).toEqual([]);
    expect(retries.nextTry(1_300)).toBe(Number.POSITIVE_INFINITY);
  });

  it('start anew once they were published', () => {
    const retries = new RetrySchedule();
    for (let i = 0; i < 20; i += 1) retries.failed('a', 0);
    retries.succeeded('a');
    expect(retries.waiting(0)).toEqual([]);
    retries.failed('a', 0);
    expect(retries.waiting(101)).toEqual([]);
  });

  it('are forgotten after a long time without events', () => {
    const retries = new RetrySchedule();
    retries.failed('a', 0);
    retries.waiting(1_000_000);
    expect(retries.size).toBe(0);
  });
});
