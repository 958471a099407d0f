import { beforeEach, describe, expect, test } from 'vitest';
import { LoginThrottle } from '../../src/identity/login-throttle.ts';

let now: number;
let throttle: LoginThrottle;
beforeEach(() => {
  now = 0;
  throttle = new LoginThrottle(() => now);
});

/** Makes attempts until one is refused; returns how many were not. */
function attempts(user: (nth: number) => string, address: (nth: number) => string, most = 1_000): number {
  for (let nth = 0; nth < most; nth++) if (throttle.attempt(user(nth), address(nth)) > 0) return nth;
  return most;
}

describe('the throttle of logins', () => {
  test('refuses the eleventh wrong password of a user from an address, and allows one every six seconds', () => {
    const one = () =>
      attempts(
        () => 'u',
        () => '192.0.2.1',
      );
    expect(one()).toBe(10);
    expect(throttle.attempt('u', '192.0.2.1')).toBe(6_000);
    now += 5_999;
    expect(one()).toBe(0);
    now += 1;
    expect(one()).toBe(1);
  });

  test('does not concern other users or other addresses', () => {
    attempts(
      () => 'u',
      () => '192.0.2.1',
    );
    expect(throttle.attempt('other', '192.0.2.1')).toBe(0);
    expect(throttle.attempt('u', '192.0.2.2')).toBe(0);
  });

  test('forgets attempts whose password was right', () => {
    for (let nth = 0; nth < 50; nth++) {
      expect(throttle.attempt('u', '192.0.2.1')).toBe(0);
      throttle.succeeded('u', '192.0.2.1');
    }
  });

  test('refuses many users from one address, or from one IPv6 network', () => {
    expect(
      attempts(
        (nth) => `u${nth}`,
        () => '192.0.2.1',
      ),
    ).toBe(200);
    expect(
      attempts(
        (nth) => `u${nth}`,
        (nth) => `2001:db8::${nth.toString(16)}`,
      ),
    ).toBe(200);
    expect(
      attempts(
        () => 'u',
        (nth) => `2001:db8:0:1:${nth}::1`,
      ),
    ).toBe(10);
    expect(
      attempts(
        () => 'v',
        (nth) => (nth % 2 ? '192.0.2.9' : '::ffff:192.0.2.9'),
      ),
    ).toBe(10);
  });

  test('remembers a bounded number of users, and the ones used last', () => {
    attempts(
      () => 'u',
      () => '192.0.2.1',
    );
    for (let nth = 0; nth < 30_000; nth++) {
      throttle.attempt(`u${nth}`, `198.51.${nth % 250}.${Math.floor(nth / 250)}`);
      if (nth % 1_000 === 0) expect(throttle.attempt('u', '192.0.2.1')).toBeGreaterThan(0);
    }
    expect(throttle.remembered).toBeLessThanOrEqual(20_000);
  });
});
