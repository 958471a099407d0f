import { describe, expect, it } from 'vitest';
import { askerOf } from '../../../src/agents/metadata/asker.ts';

const NETWORK = '11111111-2222-3333-4444-555555555555';
const ROUTER = '99999999-2222-3333-4444-555555555555';
const of = (headers: Readonly<Record<string, readonly string[]>>) => askerOf(headers);
const from = (...forwarded: readonly string[]) =>
  of({ 'x-neutron-network-id': [NETWORK], 'x-forwarded-for': forwarded });

describe('askerOf', () => {
  it('names a network or a router', () => {
    expect(from('10.0.0.5')).toEqual({ network: NETWORK, address: '10.0.0.5' });
    expect(of({ 'x-neutron-router-id': [ROUTER], 'x-forwarded-for': ['2001:DB8:0::5'] })).toEqual({
      router: ROUTER,
      address: '2001:db8::5',
    });
  });

  it.each([
    [['10.0.0.66', '10.0.0.5'], '10.0.0.5'],
    [['10.0.0.66, 10.0.0.67', '10.0.0.5'], '10.0.0.5'],
    [['10.0.0.66, 10.0.0.5'], '10.0.0.5'],
    [['10.0.0.66', '::ffff:10.0.0.5'], '10.0.0.5'],
    [['::ffff:a00:5'], '10.0.0.5'],
  ])('takes the address that the proxy appended, not what the client sent: %j', (forwarded, address) => {
    expect(from(...forwarded)).toEqual({ network: NETWORK, address });
  });

  it.each([
    ['fe80::f816:3eff:fe12:3456', 'fa:16:3e:12:34:56'],
    ['FE80:0:0:0:0:00FF:FE00:1', '02:00:00:00:00:01'],
    ['febf::200:ff:fe00:0', '00:00:00:00:00:00'],
  ])('identifies the link-local address %s by its MAC', (address, mac) => {
    expect(from(address)).toMatchObject({ mac });
  });

  it.each([
    ['no address', { 'x-neutron-network-id': [NETWORK] }],
    ['an address that is none', { 'x-neutron-network-id': [NETWORK], 'x-forwarded-for': ['10.0.0.5', 'localhost'] }],
    ['an empty last address', { 'x-neutron-network-id': [NETWORK], 'x-forwarded-for': ['10.0.0.5,'] }],
    ['a link-local address without a MAC', { 'x-neutron-network-id': [NETWORK], 'x-forwarded-for': ['fe80::1'] }],
    ['an address with a zone', { 'x-neutron-network-id': [NETWORK], 'x-forwarded-for': ['fe80::1%eth0'] }],
    ['neither network nor router', { 'x-forwarded-for': ['10.0.0.5'] }],
    [
      'both at once',
      { 'x-neutron-network-id': [NETWORK], 'x-neutron-router-id': [ROUTER], 'x-forwarded-for': ['10.0.0.5'] },
    ],
    [
      'both at once, one of them empty',
      { 'x-neutron-network-id': [NETWORK], 'x-neutron-router-id': [''], 'x-forwarded-for': ['10.0.0.5'] },
    ],
    ['two networks', { 'x-neutron-network-id': [NETWORK, NETWORK], 'x-forwarded-for': ['10.0.0.5'] }],
    ['two networks in one header', { 'x-neutron-network-id': [`${NETWORK}, ${NETWORK}`], 'x-forwarded-for': ['::1'] }],
    ['a network that is none', { 'x-neutron-network-id': ['net1'], 'x-forwarded-for': ['10.0.0.5'] }],
  ])('is undefined for %s', (_, headers) => {
    expect(of(headers)).toBeUndefined();
  });
});
