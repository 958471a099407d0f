import { expect, it } from 'vitest';
import type { Identity } from '../../../src/auth/contract.ts';
import { TokenCache } from '../../../src/auth/keystone/cache.ts';
import { parseToken } from '../../../src/auth/keystone/token.ts';

const IDENTITY: Identity = {
  ...{ userId: 'u', projectId: 'p', domainId: '', userDomainId: '', projectDomainId: '' },
  ...{ roles: [], systemScope: false, serviceRoles: [] },
};
const KNOWN = { identity: IDENTITY, expiresAt: Number.POSITIVE_INFINITY };
const now = () => performance.now();

it('keeps a bounded number of valid tokens, the newest, whatever is invented meanwhile', () => {
  const cache = new TokenCache({ ms: 60_000, invalidMs: 60_000, entries: 3 });
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, KNOWN, now());
  for (let i = 0; i < 100; i += 1) cache.set(`invented-${i}`, undefined, now());
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key)?.known)).toEqual([undefined, KNOWN, KNOWN, KNOWN]);
  const remembered = Array.from({ length: 100 }, (_, i) => cache.get(`invented-${i}`)).filter(
    (one) => one !== undefined,
  );
  expect(remembered).toHaveLength(3);
});

it('counts from the question, because a token may have been revoked before its answer arrived', () => {
  const cache = new TokenCache({ ms: 1000, invalidMs: 1000, entries: 3 });
  cache.set('late', KNOWN, now() - 1001);
  expect(cache.get('late')).toBeUndefined();
  cache.set('late', KNOWN, now());
  expect(cache.get('late')?.known).toBe(KNOWN);
  cache.set('late', undefined, now());
  expect(cache.get('late')).toEqual(expect.objectContaining({ known: undefined }));
});

it.each([
  ['nothing', undefined],
  ['a text', 'token'],
  ['a list', [{ token: {} }]],
  ['a token without a user', { token: { expires_at: '2099-01-01T00:00:00Z' } }],
  ['a user whose id is no text', { token: { user: { id: 7 }, expires_at: '2099-01-01T00:00:00Z' } }],
  ['no date', { token: { user: { id: 'u' }, expires_at: 'soon' } }],
])('reads no token from %s', (_, body) => {
  expect(parseToken(body)).toBeUndefined();
});

it('takes parts of a token that have another type for missing', () => {
  const token = {
    user: { id: 'u', domain: null },
    project: 'p',
    roles: [{ name: 'A' }, 7, null],
    system: { all: 'yes' },
  };
  expect(parseToken({ token: { ...token, expires_at: '2099-01-01T00:00:00Z', catalog: {} } })).toMatchObject({
    identity: { userId: 'u', projectId: '', userDomainId: '', roles: ['a', '', ''], systemScope: false },
    endpoints: [],
  });
});
