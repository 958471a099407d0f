import { describe, expect, test } from 'vitest';
import { Holders } from '../../../../../src/agents/dhcp/drivers/dnsmasq/holders.ts';
import { leaseFileAtStart } from '../../../../../src/agents/dhcp/drivers/dnsmasq/lease-file.ts';
import {
  movedIpv6,
  parseLeases,
  staleLeases,
  withoutLeases,
} from '../../../../../src/agents/dhcp/drivers/dnsmasq/leases.ts';
import type { Entitlement } from '../../../../../src/agents/dhcp/drivers/dnsmasq/port-lines.ts';

const FOUR = '1795391077 fa:16:3e:00:00:01 10.0.0.1 vm1 01:fa:16:3e:00:00:01';
const ENDLESS = '0 fa:16:3e:00:00:02 10.0.0.2 * *';
const SIX = '1795391077 99 fd00::1 * 00:03:00:01:fa:16:3e:00:00:01';
const FILE = `${FOUR}\n${ENDLESS}\nduid 00:01:00:01:aa:bb\n${SIX}\n`;

const may = (address: string, mac: string, more: Partial<Entitlement> = {}): Entitlement => ({
  address,
  mac,
  version: address.includes(':') ? 6 : 4,
  status: 'ACTIVE',
  ...more,
});
const stale = (entitled: readonly Entitlement[], file = FILE, moved?: ReadonlySet<string>) => {
  const holders = new Holders();
  holders.add('a port', entitled);
  return staleLeases(parseLeases(file), (address) => holders.of(address), moved).map(({ address }) => address);
};

describe('the lease file', () => {
  test('is read as dnsmasq writes it, DHCPv6 too', () => {
    expect(parseLeases(FILE)).toEqual([
      { version: 4, address: '10.0.0.1', hardware: 'fa:16:3e:00:00:01', clientId: '01:fa:16:3e:00:00:01', line: FOUR },
      { version: 4, address: '10.0.0.2', hardware: 'fa:16:3e:00:00:02', clientId: undefined, line: ENDLESS },
      { version: 6, address: 'fd00::1', hardware: '99', clientId: '00:03:00:01:fa:16:3e:00:00:01', line: SIX },
    ]);
  });

  test.each(['', '\n', 'garbage\n', '179539', '1795391077 fa:16:3e:00:00:01', 'duid 00:01\n'])(
    '%j holds no lease',
    (text) => {
      expect(parseLeases(text)).toEqual([]);
    },
  );

  test('loses the stale lines and nothing else', () => {
    const [, second] = parseLeases(FILE);
    expect(withoutLeases(FILE, second ? [second] : [])).toBe(`${FOUR}\nduid 00:01:00:01:aa:bb\n${SIX}\n`);
  });
});

describe('a lease is stale', () => {
  const all = [may('10.0.0.1', 'fa:16:3e:00:00:01'), may('10.0.0.2', 'fa:16:3e:00:00:02'), may('fd00::1', 'x')];

  test('never when its holder may hold it', () => {
    expect(stale(all)).toEqual([]);
    expect(stale(all, FILE.replace('fa:16:3e:00:00:01 ', 'FA:16:3E:00:00:01 '))).toEqual([]);
  });

  test('never for the way its address is written', () => {
    expect(stale([...all.slice(0, 2), may('FD00:0:0::0001', 'x')])).toEqual([]);
  });

  test('when no port has the address', () => expect(stale([])).toEqual(['10.0.0.1', '10.0.0.2', 'fd00::1']));

  test('when a port with another MAC has it', () => {
    expect(stale([may('10.0.0.1', 'fa:16:3e:00:00:77'), ...all.slice(1)])).toEqual(['10.0.0.1']);
  });

  test.each([
    ['aa:bb', 'aa:bb', false],
    ['AA:BB', 'aa:bb', false],
    ['a:b', '0a:0b', false],
    ['text', '74:65:78:74', false],
    ['text', '00:74:65:78:74', false],
    ['text', '74:65:78', true],
    ['aa:bb', '*', true],
  ])('unless it was taken under the port’s client id: port %s, lease %s', (id, held, isStale) => {
    const file = `5 fa:16:3e:00:00:99 10.0.0.1 * ${held}\n`;
    expect(stale([may('10.0.0.1', 'fa:16:3e:00:00:01', { clientId: id })], file).length > 0).toBe(isStale);
  });

  test('when its IPv6 address went to another MAC', () => {
    const host = (mac: string) => `${mac},tag:dhcpv6,a.org,[fd00::1],[fd00::2]\nfa:16:3e:00:00:09,b.org,10.0.0.9\n`;
    const moved = movedIpv6(host('fa:16:3e:00:00:01'), host('fa:16:3e:00:00:02'));
    expect([...moved]).toEqual(['fd00::1', 'fd00::2']);
    expect(stale(all, FILE, moved)).toEqual(['fd00::1']);
    expect([...movedIpv6(host('fa:16:3e:00:00:01'), host('fa:16:3e:00:00:01'))]).toEqual([]);
    expect([...movedIpv6(host('fa:16:3e:00:00:01'), '')]).toEqual([]);
  });
});

describe('at the start of dnsmasq', () => {
  const entitled = [
    may('10.0.0.1', 'fa:16:3e:00:00:01'),
    may('10.0.0.2', 'fa:16:3e:00:00:02', { status: 'DOWN' }),
    may('10.0.0.3', 'fa:16:3e:00:00:03', { status: 'BUILD' }),
    may('10.0.0.4', 'fa:16:3e:00:00:04'),
    may('fd00::1', 'fa:16:3e:00:00:04'),
  ];
  const seed = (n: number) => `77 fa:16:3e:00:00:0${n} 10.0.0.${n} * *\n`;

  test.each([undefined, ''])('no lease known (%j): machines that may run get one', (found) => {
    expect(leaseFileAtStart(found, [], entitled, 77)).toBe(seed(1) + seed(4));
  });

  test('leases known: they stay as they are, but the stale ones', () => {
    expect(leaseFileAtStart(FILE, [], entitled, 77)).toBe(FILE);
    expect(leaseFileAtStart(FILE, parseLeases(FILE).slice(0, 1), entitled, 77)).toBe(FILE.slice(FOUR.length + 1));
  });

  test('a torn file: what is whole stays, what is missing comes back', () => {
    expect(leaseFileAtStart(`${FOUR}\n1795391077 fa:16:3e:00:00:04 10.0`, [], entitled, 77)).toBe(
      `${seed(4)}${FOUR}\n`,
    );
  });
});
