/** Random choices determined by a seed. */
export interface Chance {
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  real(): number;
  /** Returns an integer from `from` to `to`, both inclusive. */
  whole(from: number, to: number): number;
  /** Returns an element of a list that is not empty. */
  of<T>(list: readonly T[]): T;
  /** Returns an independent source for concurrent work, so that timing does not affect the choices of others. */
  branch(): Chance;
}

/** Returns choices from a seed (mulberry32, whose 32 bits of state are sufficient here). */
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
