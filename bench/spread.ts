/** The median of several rounds, and their range. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Returns the percentile `share` (0 to 1) of values, by nearest rank. Throws RangeError without values. */
export function percentile(values: readonly number[], share: number): number {
  const ascending = [...values].sort((a, b) => a - b);
  const at = Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1));
  const value = ascending[at];
  if (value === undefined) throw new RangeError('a percentile needs at least one value');
  return value;
}

/** Returns the median; for an even number of values, the mean of the two middle ones. Throws RangeError without values. */
export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const upper = ascending[Math.floor(ascending.length / 2)];
  const lower = ascending[Math.floor((ascending.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('a median needs at least one value');
  return (lower + upper) / 2;
}

/** Returns median, minimum and maximum. Throws RangeError without values. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Returns the rate of two sequential steps from the rates of each alone: 1/(1/a + 1/b). */
export const inSeries = (a: number, b: number): number => 1 / (1 / a + 1 / b);

/** Returns `x / y` for each round, which cancels effects on a whole round (a busy machine). Throws RangeError if counts differ. */
export function ratios(numerators: readonly number[], denominators: readonly number[]): readonly number[] {
  if (numerators.length !== denominators.length)
    throw new RangeError(`${numerators.length} rounds cannot be compared with ${denominators.length}`);
  return numerators.map((n, i) => n / (denominators[i] ?? Number.NaN));
}
