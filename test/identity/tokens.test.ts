import { describe, expect, test } from 'vitest';
import { type TokenContent, TokenSigner } from '../../src/identity/tokens.ts';

const signer = new TokenSigner(Buffer.alloc(32, 1));
const content: TokenContent = {
  auditIds: ['a', 'b'],
  userId: 'u',
  generation: 3,
  methods: ['password'],
  scope: { kind: 'project', id: 'p' },
  issuedAt: 1_000,
  expiresAt: 2_000,
};

describe('a token', () => {
  test.each([
    [{ kind: 'unscoped' }],
    [{ kind: 'project', id: 'p' }],
    [{ kind: 'domain', id: 'd' }],
    [{ kind: 'system' }],
  ] as const)('returns what was signed: scope %j', (scope) => {
    expect(signer.read(signer.sign({ ...content, scope }))).toEqual({ ...content, scope });
  });

  test('is refused if a single character differs, or another key has signed it', () => {
    const token = signer.sign(content);
    for (let at = 0; at < token.length - 1; at++) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(signer.read(token.slice(0, at) + other + token.slice(at + 1)), `at ${at}`).toBeUndefined();
    }
    expect(new TokenSigner(Buffer.alloc(32, 2)).read(token)).toBeUndefined();
  });

  test.each([
    '',
    '.',
    'nt2',
    'nt2.',
    'nt2..',
    'nt2.e30.',
    'nt1.e30.e30',
    `nt2.${'A'.repeat(5000)}.x`,
    'gAAAAABnot-a-token',
    '\0',
  ])('is refused if malformed: %j', (text) => {
    expect(signer.read(text)).toBeUndefined();
  });
});
