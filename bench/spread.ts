/** Figures of several rounds as one: the middle and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The value below which `share` (0 to 1) of the values lie, by nearest rank. Throws RangeError without values. */
export function percentile(values: readonly number[], share: number): number {
  const ascending = [...values].sort((a, b) => a - b);
  const at = Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1));
  const value = ascending[at];
  if (value === undefined) throw new RangeError('a percentile of no values was asked for');
  return value;
}

/** The middle value; of an even number of values, the mean of the two in the middle. Throws RangeError without values. */
export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const upper = ascending[Math.floor(ascending.length / 2)];
  const lower = ascending[Math.floor((ascending.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('a median of no values was asked for');
  return (lower + upper) / 2;
}

/** Median, least and greatest. Throws RangeError without values. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** What two steps one after the other can do per second, when each alone does this many: 1/(1/a + 1/b). */
export const inSeries = (a: number, b: number): number => 1 / (1 / a + 1 / b);

/** `x / y` of each round: what happens to a whole round (a busy machine) falls out. Throws RangeError unless both have as many. */
export function ratios(numerators: readonly number[], denominators: readonly number[]): readonly number[] {
  if (numerators.length !== denominators.length)
    throw new RangeError(`${numerators.length} rounds cannot be compared with ${denominators.length}`);
  return numerators.map((n, i) => n / (denominators[i] ?? Number.NaN));
}
