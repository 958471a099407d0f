import { expect, test } from 'vitest';
import { errorAnswer } from '../../src/api/error-bodies.ts';

const failure = (facts: object) => Object.assign(new Error('connect'), facts);

test.each([
  failure({ code: 'ECONNREFUSED' }),
  failure({ code: 'PROTOCOL_CONNECTION_LOST' }),
  failure({ errno: 1047, code: 'ER_UNKNOWN_COM_ERROR' }),
])('a query that finds no database is answered 503, not 500: $code', (error) => {
  expect(errorAnswer(error)).toEqual({
    status: 503,
    body: {
      NeutronError: { type: 'ServiceUnavailable', message: 'The database cannot be reached; try again.', detail: '' },
    },
  });
});

test('an internal error remains a 500', () => {
  expect(errorAnswer(new TypeError('x is undefined'))).toBeUndefined();
});
