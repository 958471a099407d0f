import { describe, expect, test } from 'vitest';
import { acceptsVersion } from '../../src/rpc/dispatch.ts';

describe('a served RPC version', () => {
  test.each([
    ['1.10', '1.0', true],
    ['1.10', '1.9', true],
    ['1.10', '1.10', true],
    ['1.9', '1.10', false],
    ['1.0', '1.1', false],
    ['2.0', '1.0', false],
    ['1.0', '2.0', false],
    ['1.0', '1', false],
    ['1.0', '', false],
    ['1.0', '1.0.0', false],
    ['1.0', ' 1.0', false],
    ['1.0', '1.-1', false],
  ])('%s and a request for %s: %s', (served, asked, accepted) => {
    expect(acceptsVersion(served, asked)).toBe(accepted);
  });
});
