import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { haproxyConf, ipv6Listener } from '../../../../src/agents/dhcp/metadata/haproxy-conf.ts';
import type { RateSettings } from '../../../../src/agents/dhcp/metadata/rate-settings.ts';

const NETWORK = '11111111-2222-3333-4444-555555555555';
const ROUTER = '99999999-2222-3333-4444-555555555555';

/** Written by Neutron 21. */
const neutrons = (name: string) =>
  readFileSync(new URL(`../../../fixtures/metadata/haproxy-${name}.conf`, import.meta.url), 'utf8');

const conf = (id: string, routerId?: string, ipv6: readonly string[] = [], rates?: RateSettings) =>
  haproxyConf({
    rates,
    ...{ networkId: NETWORK, routerId, user: 'root', group: 'root', debug: false, ipv6 },
    pidFile: `/var/lib/neutron/external/pids/${id}.pid.haproxy`,
    socket: '/var/lib/neutron/metadata_proxy',
  });

describe('haproxyConf', () => {
  it("is the text of Neutron's agents", () => {
    const device = [ipv6Listener('tap12345678-90')];
    expect(conf(NETWORK, undefined, device)).toBe(neutrons('network'));
    expect(conf(ROUTER, ROUTER, device)).toBe(neutrons('router'));
    expect(conf(NETWORK)).toBe(neutrons('ipv4'));
  });

  it.each<[string, RateSettings['versions']]>([
    ['ip', [4]],
    ['ipv6', [6]],
    ['ipv6', [4, 6]],
  ])('limits requests by tables of type %s', (type, versions) => {
    const windows = [
      { seconds: 60, requests: 6 },
      { seconds: 10, requests: 2 },
    ] as const;
    const text = conf(NETWORK, undefined, [ipv6Listener('tap12345678-90')], { versions, windows });
    // As Neutron 2023.1 and newer write it.
    expect(text.slice(text.indexOf('\nbackend'))).toBe(`
backend base_rate_limiter
    stick-table type ${type} size 10k expire 60s store http_req_rate(60s)

backend burst_rate_limiter
    stick-table type ${type} size 10k expire 60s store http_req_rate(10s)

listen listener
    bind 169.254.169.254:80
    bind fe80::a9fe:a9fe:80 interface tap12345678-90

    http-request track-sc0 src table base_rate_limiter
    http-request track-sc1 src table burst_rate_limiter
    http-request deny deny_status 429 if { src_http_req_rate(base_rate_limiter) gt 6 }
    http-request deny deny_status 429 if { src_http_req_rate(burst_rate_limiter) gt 2 }

    server metadata /var/lib/neutron/metadata_proxy

    http-request del-header X-Neutron-Router-ID
    http-request set-header X-Neutron-Network-ID ${NETWORK}
`);
  });
});
