import { describe, expect, it } from 'vitest';
import { HeldSubjects } from '../../src/notifier/held.ts';

describe('held subjects', () => {
  it('wait until their next try, each by itself', () => {
    const held = new HeldSubjects();
    held.failed('a', 1_000);
    held.failed('b', 1_000);
    held.failed('b', 1_000);
    expect(held.waiting(1_050)).toEqual(['a', 'b']);
    expect(held.waiting(1_120)).toEqual(['b']);
    expect(held.nextTry(1_120)).toBeGreaterThanOrEqual(1_150);
    expect(held.waiting(1_300)).toEqual([]);
    expect(held.nextTry(1_300)).toBe(Number.POSITIVE_INFINITY);
  });

  it('start anew when they were told', () => {
    const held = new HeldSubjects();
    for (let i = 0; i < 20; i += 1) held.failed('a', 0);
    held.told('a');
    expect(held.waiting(0)).toEqual([]);
    held.failed('a', 0);
    expect(held.waiting(101)).toEqual([]);
  });

  it('are forgotten when nothing was heard of them for long', () => {
    const held = new HeldSubjects();
    held.failed('a', 0);
    held.waiting(1_000_000);
    expect(held.size).toBe(0);
  });
});
