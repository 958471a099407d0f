import { describe, expect, test } from 'vitest';
import { ReloadThrottle, reloadTimeoutMs } from '../../../../../src/agents/dhcp/drivers/dnsmasq/reload-throttle.ts';

describe('the throttle of reloads', () => {
  test('the first goes out at once', () => expect(new ReloadThrottle(0).waitMs(0)).toBe(0));

  test('after one that took long, the next waits as long again', () => {
    const throttle = new ReloadThrottle(0);
    throttle.reloaded(1_000, 1_400);
    expect(throttle.waitMs(1_400)).toBe(400);
    expect(throttle.waitMs(1_500)).toBe(300);
    expect(throttle.waitMs(9_999)).toBe(0);
  });

  test('a dnsmasq that has answered all rests for a tenth of that; a busy one is looked at as often', () => {
    const throttle = new ReloadThrottle(0);
    throttle.reloaded(1_000, 1_400);
    expect([1_400, 1_430, 1_440].map((now) => throttle.idleWaitMs(now))).toEqual([40, 10, 0]);
    expect([1_400, 1_440, 1_790, 1_800].map((now) => throttle.nextLookMs(now))).toEqual([40, 40, 10, 0]);
  });

  test('short ones are not held back', () => {
    const throttle = new ReloadThrottle(0);
    throttle.reloaded(1_000, 1_010);
    expect(throttle.waitMs(1_010)).toBe(0);
  });

  test('bulk_reload_interval holds back all', () => {
    const throttle = new ReloadThrottle(5_000);
    throttle.reloaded(1_000, 1_010);
    expect(throttle.waitMs(1_010)).toBe(5_000);
    expect([throttle.idleWaitMs(1_010), throttle.nextLookMs(2_010)]).toEqual([5_000, 4_000]);
  });

  test('restarts that replace reloads leave most of the time to answering, and keep the interval of reloads', () => {
    const throttle = new ReloadThrottle(0);
    expect(throttle.restartWaitMs(0)).toBe(0);
    throttle.restarted(990, 1_000);
    expect([throttle.restartWaitMs(1_100), throttle.waitMs(1_100), throttle.restartWaitMs(1_250)]).toEqual([150, 0, 0]);
    throttle.restarted(2_000, 2_200);
    expect(throttle.restartWaitMs(2_200)).toBe(800);
    const slow = new ReloadThrottle(5_000);
    slow.restarted(0, 10);
    expect(slow.restartWaitMs(10)).toBe(5_000);
  });

  test('the time given to a reload grows with its cost and has a bound', () => {
    expect(reloadTimeoutMs(0)).toBe(10_000);
    expect(reloadTimeoutMs(5_000)).toBe(20_000);
    expect(reloadTimeoutMs(10_000_000)).toBe(600_000);
  });
});
