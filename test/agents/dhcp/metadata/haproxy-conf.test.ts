import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { haproxyConf, ipv6Listener } from '../../../../src/agents/dhcp/metadata/haproxy-conf.ts';

const NETWORK = '11111111-2222-3333-4444-555555555555';
const ROUTER = '99999999-2222-3333-4444-555555555555';

/** Written by Neutron 21. */
const neutrons = (name: string) =>
  readFileSync(new URL(`../../../fixtures/metadata/haproxy-${name}.conf`, import.meta.url), 'utf8');

const conf = (id: string, routerId?: string, ipv6?: string) =>
  haproxyConf({
    ...{ networkId: NETWORK, routerId, user: 'root', group: 'root', debug: false, ipv6 },
    pidFile: `/var/lib/neutron/external/pids/${id}.pid.haproxy`,
    socket: '/var/lib/neutron/metadata_proxy',
  });

describe('haproxyConf', () => {
  it("is the text of Neutron's agents", () => {
    const device = ipv6Listener('tap12345678-90');
    expect(conf(NETWORK, undefined, device)).toBe(neutrons('network'));
    expect(conf(ROUTER, ROUTER, device)).toBe(neutrons('router'));
    expect(conf(NETWORK)).toBe(neutrons('ipv4'));
  });
});
