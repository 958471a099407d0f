import fc from 'fast-check';

const SURROGATES = { first: 0xd800, count: 0x800 };
const LAST = 0x10ffff;

/**
 * A character of any code point: the unit of strings that hold anything. As `unit: 'binary'` of fc.string, whose first string takes a
 * second in every worker, because it looks up every code point.
 */
export const codePoint = fc.integer({ min: 0, max: LAST - SURROGATES.count }).map(
  (nth) => String.fromCodePoint(nth < SURROGATES.first ? nth : nth + SURROGATES.count),
  (text) => {
    const code = typeof text === 'string' ? text.codePointAt(0) : undefined;
    if (code === undefined || String.fromCodePoint(code) !== text) throw new Error('not one code point');
    return code < SURROGATES.first ? code : code - SURROGATES.count;
  },
);
