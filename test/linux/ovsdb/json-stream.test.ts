import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonStream } from '../../../src/linux/ovsdb/json-stream.ts';

describe('a stream of JSON objects', () => {
  it('is split into the objects, wherever the pieces end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        fc.constantFrom('', '\n'),
        (objects, cuts, separator) => {
          const text = objects.map((one) => JSON.stringify(one)).join(separator);
          const ends = [...new Set(cuts.map((cut) => cut % (text.length + 1))), text.length].toSorted((a, b) => a - b);
          const stream = new JsonStream();
          const found = ends.flatMap((end, i) => stream.push(text.slice(i === 0 ? 0 : ends[i - 1], end)));
          expect(found).toEqual(objects.map((one) => JSON.parse(JSON.stringify(one))));
        },
      ),
    );
  });

  it.each(['hello', '}', '{"a":1} x', '{"a":}'])('refuses %s', (text) => {
    expect(() => new JsonStream().push(text)).toThrow();
  });
});
