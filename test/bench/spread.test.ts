import { expect, test } from 'vitest';
import { inSeries, median, percentile, ratios, spread } from '../../bench/spread.ts';

test('the median of an even number of values is the mean of the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([1, 9, 5, 7])).toBe(6);
});

test('a percentile is one of the values, by nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentile(values, 0.5)).toBe(50);
  expect(percentile(values, 0.99)).toBe(99);
  expect(percentile(values, 1)).toBe(100);
  expect(percentile([3], 0.99)).toBe(3);
});

test('rounds are summarized as median, minimum and maximum', () => {
  expect(spread([4, 2, 10])).toEqual({ median: 4, min: 2, max: 10 });
});

test('there is no median without rounds', () => {
  expect(() => spread([])).toThrow(RangeError);
  expect(() => percentile([], 0.5)).toThrow(RangeError);
});

test('two sequential steps are slower than the slower one alone', () => {
  expect(inSeries(3000, 6000)).toBeCloseTo(2000);
});

test('rounds are compared one by one', () => {
  expect(ratios([10, 30], [20, 30])).toEqual([0.5, 1]);
  expect(() => ratios([1], [1, 2])).toThrow('1 rounds cannot be compared with 2');
});
