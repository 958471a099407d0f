import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PendingDevices } from '../../../src/agents/l2/pending-devices.ts';

describe('pending devices', () => {
  let due: number;
  let pending: PendingDevices;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    due = 0;
    pending = new PendingDevices(() => {
      due += 1;
    });
  });
  afterEach(() => {
    pending.close();
    vi.useRealTimers();
  });

  test('gives what is due, each once, in portions', () => {
    for (const name of ['a', 'b', 'a', 'c']) pending.now(name);
    expect(due).toBe(4);
    expect(pending.take(2)).toEqual(['a', 'b']);
    expect(pending.take(2)).toEqual(['c']);
    expect(pending.take(2)).toEqual([]);
  });

  test('gives what was put off after pauses that double up to a minute, and calls then', () => {
    const pauses: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      pending.later('a');
      expect(pending.take(9)).toEqual([]);
      const before = due;
      const began = performance.now();
      while (due === before) vi.advanceTimersByTime(50);
      pauses.push(performance.now() - began);
      expect(pending.take(9)).toEqual(['a']);
    }
    expect(pauses[0]).toBeLessThanOrEqual(1_050);
    expect(pauses[3]).toBeGreaterThan(5_000);
    expect(pauses[8]).toBeGreaterThan(44_000);
    expect(pauses[8]).toBeLessThanOrEqual(60_050);
  });

  test('begins with a short pause again after success or news', () => {
    for (let n = 0; n < 9; n += 1) {
      pending.later('a');
      vi.advanceTimersByTime(61_000);
      pending.take(9);
    }
    pending.done('a');
    pending.later('a');
    vi.advanceTimersByTime(1_100);
    expect(pending.take(9)).toEqual(['a']);
  });

  test('does not put off news that came meanwhile', () => {
    pending.now('a');
    pending.later('a');
    expect(pending.take(9)).toEqual(['a']);
  });

  test('forgets devices that are gone', () => {
    pending.now('a');
    pending.later('b');
    pending.drop('a');
    pending.drop('b');
    vi.advanceTimersByTime(61_000);
    expect(pending.take(9)).toEqual([]);
  });
});
