import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressBits,
  addressKey,
  canonicalIp,
  cidrContains,
  cidrsOverlap,
  eui64Address,
  eui64Mac,
  formatCidr,
  formatIp,
  isLinkLocal,
  parseCidr,
  parseIp,
} from '../../src/net/addresses.ts';

const version = fc.constantFrom<4 | 6>(4, 6);
const address = version.chain((v) =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(addressBits(v))) - 1n }).map((value) => ({ version: v, value })),
);
const prefix = address.chain(({ version: v, value }) =>
  fc.integer({ min: 0, max: addressBits(v) }).map((length) => `${formatIp(v, value)}/${length}`),
);

describe('addresses', () => {
  test('survive a round trip through text', () => {
    fc.assert(
      fc.property(address, (ip) => {
        expect(parseIp(formatIp(ip.version, ip.value))).toEqual(ip);
      }),
    );
  });

  test('are formatted according to RFC 5952 if they are IPv6', () => {
    const groups = fc.array(fc.constantFrom('0', '0', '1', 'db8', 'ffff', '00a', 'FE80'), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(groups, (parts) => {
        const text = parts.join(':');
        expect(canonicalIp(text)).toBe(new URL(`http://[${text}]/`).hostname.slice(1, -1));
      }),
    );
  });

  test.each([
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['FD00:0000::00A1', 'fd00::a1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  test.each([
    '',
    ' ',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.01',
    '010.0.0.1',
    '0x0a.0.0.1',
    '10.0.0.1 ',
    '167772161',
    '1:2:3:4:5:6:7',
    '1::2::3',
    ':::',
    'fe80::1%eth0',
    '10.0.0.1/24',
    'g::1',
    '12345::',
    '::1.2.3',
    '١.٢.٣.٤',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test('have keys that sort like their numbers', () => {
    const pair = version.chain((v) => {
      const value = fc.bigInt({ min: 0n, max: (1n << BigInt(addressBits(v))) - 1n });
      return fc.tuple(fc.constant(v), value, value);
    });
    fc.assert(
      fc.property(pair, ([v, a, b]) => {
        expect(addressKey(v, a) < addressKey(v, b)).toBe(a < b);
      }),
    );
  });
});

describe('prefixes', () => {
  test('contain 2^(bits - length) addresses, from the first one', () => {
    fc.assert(
      fc.property(prefix, (text) => {
        const cidr = parseCidr(text);
        if (!cidr) throw new Error(`${text} is none`);
        const size = 1n << BigInt(addressBits(cidr.version) - cidr.prefixLength);
        expect(cidr.last - cidr.first + 1n).toBe(size);
        expect(cidr.first % size).toBe(0n);
        const again = parseCidr(formatCidr(cidr));
        expect(again).toEqual({ ...cidr, hostBits: false });
        expect(cidrContains(cidr, parseIp(text.split('/')[0] ?? '') ?? { version: 4, value: -1n })).toBe(true);
      }),
    );
  });

  test('overlap if and only if one contains the first address of the other', () => {
    fc.assert(
      fc.property(prefix, prefix, (a, b) => {
        const [x, y] = [parseCidr(a), parseCidr(b)];
        if (!x || !y) throw new Error(`${a} or ${b} is none`);
        const holds =
          cidrContains(x, { version: y.version, value: y.first }) ||
          cidrContains(y, { version: x.version, value: x.first });
        expect(cidrsOverlap(x, y)).toBe(holds);
        expect(cidrsOverlap(y, x)).toBe(holds);
      }),
    );
  });

  test.each([
    '10.0.0.0',
    '10.0.0.0/',
    '/24',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0.0/-1',
    '10.0.0.0/1e1',
    '10.0.0.0/24/24',
    '10.0.0.0/ 8',
    '10.0.0.0/0x8',
  ])('%j is none', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });
});

test.each([
  // RFC 4291, appendix A, and the address that Linux gives itself for this MAC
  ['fd00:6::', '02:00:00:00:06:01', 'fd00:6::ff:fe00:601'],
  ['2001:db8::', 'fa:16:3e:b7:d3:2d', '2001:db8::f816:3eff:feb7:d32d'],
  ['fe80::', '00:00:5e:00:53:01', 'fe80::200:5eff:fe00:5301'],
])('in %s the MAC %s makes %s', (first, mac, made) => {
  expect(formatIp(6, eui64Address(parseIp(first)?.value ?? -1n, mac))).toBe(made);
  expect(eui64Mac(parseIp(made)?.value ?? -1n)).toBe(mac);
});

test.each(['fe80::1', 'fe80::f816:3eff:ff12:3456', 'fe80::f816:3eee:fe12:3456'])('no MAC made %s', (text) => {
  expect(eui64Mac(parseIp(text)?.value ?? -1n)).toBeUndefined();
});

test.each([
  ['fe80::1', true],
  ['febf:ffff::', true],
  ['fec0::1', false],
  ['fe7f::1', false],
  ['169.254.1.1', false],
])('%s is link-local: %s', (text, expected) => {
  expect(isLinkLocal(parseIp(text) ?? { version: 4, value: 0n })).toBe(expected);
});
