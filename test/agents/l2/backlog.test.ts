import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Backlog } from '../../../src/agents/l2/backlog.ts';

describe('the backlog of devices', () => {
  let due: number;
  let backlog: Backlog;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    due = 0;
    backlog = new Backlog(() => {
      due += 1;
    });
  });
  afterEach(() => {
    backlog.close();
    vi.useRealTimers();
  });

  test('gives what is due, each once, in portions', () => {
    for (const name of ['a', 'b', 'a', 'c']) backlog.now(name);
    expect(due).toBe(4);
    expect(backlog.take(2)).toEqual(['a', 'b']);
    expect(backlog.take(2)).toEqual(['c']);
    expect(backlog.take(2)).toEqual([]);
  });

  test('gives what was put off after pauses that double up to a minute, and calls then', () => {
    const pauses: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      backlog.later('a');
      expect(backlog.take(9)).toEqual([]);
      const before = due;
      const began = performance.now();
      while (due === before) vi.advanceTimersByTime(50);
      pauses.push(performance.now() - began);
      expect(backlog.take(9)).toEqual(['a']);
    }
    expect(pauses[0]).toBeLessThanOrEqual(1_050);
    expect(pauses[3]).toBeGreaterThan(5_000);
    expect(pauses[8]).toBeGreaterThan(44_000);
    expect(pauses[8]).toBeLessThanOrEqual(60_050);
  });

  test('begins with a short pause again after success or news', () => {
    for (let n = 0; n < 9; n += 1) {
      backlog.later('a');
      vi.advanceTimersByTime(61_000);
      backlog.take(9);
    }
    backlog.done('a');
    backlog.later('a');
    vi.advanceTimersByTime(1_100);
    expect(backlog.take(9)).toEqual(['a']);
  });

  test('does not put off news that came meanwhile', () => {
    backlog.now('a');
    backlog.later('a');
    expect(backlog.take(9)).toEqual(['a']);
  });

  test('forgets devices that are gone', () => {
    backlog.now('a');
    backlog.later('b');
    backlog.drop('a');
    backlog.drop('b');
    vi.advanceTimersByTime(61_000);
    expect(backlog.take(9)).toEqual([]);
  });
});
