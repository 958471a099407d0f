import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../../src/agents/dhcp/metadata/native/rate-limit.ts';
import { rateSettings } from '../../../../src/agents/dhcp/metadata/rate-settings.ts';
import { defaultConfig } from '../../../../src/config/options.ts';

let now = 0;
const limit = (base: [number, number], burst: [number, number] = base) => {
  now = 0;
  const windows = [base, burst].map(([seconds, requests]) => ({ seconds, requests })) as never;
  return new RateLimit({ windows }, () => now);
};
/** Requests that are allowed of those that are made at these seconds. */
const allowed = (limited: RateLimit, seconds: readonly number[], source = 'a') =>
  seconds.filter((at) => {
    now = at * 1_000;
    return limited.allows(source);
  });

describe('RateLimit', () => {
  it.each<[string, [number, number], [number, number], readonly number[], readonly number[]]>([
    ['allows as many as the window', [10, 3], [10, 3], [0, 1, 2, 3, 9], [0, 1, 2]],
    ['counts the share of the previous period', [10, 2], [10, 2], [0, 1, 11, 12, 19], [0, 1, 11]],
    ['starts anew after two periods', [10, 2], [10, 2], [0, 1, 21, 22, 23], [0, 1, 21, 22]],
    ['must be within both windows', [60, 3], [10, 1], [0, 1, 20, 40, 59], [0, 20]],
    ['counts what it refuses', [10, 1], [10, 1], [0, 1, 2, 15], [0]],
  ])('%s', (_, base, burst, at, expected) => {
    expect(allowed(limit(base, burst), at)).toEqual(expected);
  });

  it('counts each source alone, and forgets those that were quiet for longest', () => {
    const limited = limit([10, 1]);
    expect([allowed(limited, [0]), allowed(limited, [0], 'b'), allowed(limited, [0])]).toEqual([[0], [0], []]);
    for (let i = 0; i < 65_536; i++) limited.allows(String(i));
    expect(allowed(limited, [0])).toEqual([0]);
  });
});

describe('rateSettings', () => {
  const defaults = defaultConfig().metadata_rate_limiting;

  it.each<[string, object, readonly number[] | undefined]>([
    ['is off by default', {}, undefined],
    ["is Neutron's IPv4 by default", { rate_limit_enabled: true }, [4]],
    ['can be both', { rate_limit_enabled: true, ip_versions: ['6', '4'] }, [4, 6]],
    ['can be none', { rate_limit_enabled: true, ip_versions: [] }, undefined],
  ])('%s', (_, options, versions) => {
    expect(rateSettings({ ...defaults, ...options })?.versions).toEqual(versions);
  });
});
