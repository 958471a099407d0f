/** Choices that a seed decides. */
export interface Chance {
  /** From 0 up to, not including, 1. */
  real(): number;
  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number;
  /** One of a list that is not empty. */
  of<T>(list: readonly T[]): T;
  /** Another source, which goes on by itself: for what runs side by side, so that one's pace does not change the other's luck. */
  branch(): Chance;
}

/** Choices out of a seed (mulberry32: 32 bits of state, which is enough to wander about). */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const real = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (from: number, to: number) => from + Math.floor(real() * (to - from + 1));
  return {
    real,
    whole,
    of: (list) => {
      if (list.length === 0) throw new Error('nothing to choose from');
      return list[whole(0, list.length - 1)] as (typeof list)[number];
    },
    branch: () => chanceOf(whole(0, 2 ** 32 - 1)),
  };
}
