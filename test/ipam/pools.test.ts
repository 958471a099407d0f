import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkedPools,
  defaultGateway,
  defaultPools,
  hostRange,
  isNoHost,
  requireGatewayOutside,
} from '../../src/ipam/pools.ts';
import { addressBits, type Cidr, formatIp, parseCidr, parseIp } from '../../src/net/addresses.ts';

const cidrOf = (text: string): Cidr => {
  const cidr = parseCidr(text);
  if (!cidr) throw new Error(`'${text}' is no cidr`);
  return cidr;
};
const ip = (text: string) => {
  const found = parseIp(text);
  if (!found) throw new Error(`'${text}' is no address`);
  return found;
};
const shown = (cidr: Cidr, pools: readonly { first: bigint; last: bigint }[]) =>
  pools.map((p) => `${formatIp(cidr.version, p.first)}-${formatIp(cidr.version, p.last)}`);

/** Small subnets, whose addresses can be counted, anywhere in the address space. */
const smallCidr = fc
  .tuple(fc.constantFrom<4 | 6>(4, 6), fc.integer({ min: 0, max: 6 }), fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }))
  .map(([version, hostBits, anywhere]) => {
    const bits = addressBits(version);
    const address = (anywhere & ((1n << BigInt(bits)) - 1n) & ~((1n << BigInt(hostBits)) - 1n)) as bigint;
    return cidrOf(`${formatIp(version, address)}/${bits - hostBits}`);
  });
const addressesOf = (cidr: Cidr): readonly bigint[] =>
  Array.from({ length: Number(cidr.last - cidr.first) + 1 }, (_, i) => cidr.first + BigInt(i));

describe('the default gateway of a subnet', () => {
  test.each([
    ['10.0.0.0/24', '10.0.0.1'],
    ['10.0.0.0/30', '10.0.0.1'],
    ['10.0.0.4/31', '10.0.0.5'],
    ['fd00:4::/64', 'fd00:4::'],
    ['fd00::4/126', 'fd00::4'],
  ])('%s: %s', (cidr, gateway) => {
    expect(defaultGateway(cidrOf(cidr))).toEqual(ip(gateway));
  });

  test('does not exist after the highest address', () => {
    expect(defaultGateway(cidrOf('255.255.255.255/32'))).toBeUndefined();
  });
});

describe('the default pools of a subnet', () => {
  test.each([
    ['10.0.0.0/24', '10.0.0.1', ['10.0.0.2-10.0.0.254']],
    ['10.0.0.0/24', '10.0.0.100', ['10.0.0.1-10.0.0.99', '10.0.0.101-10.0.0.254']],
    ['10.0.0.0/24', '10.0.0.254', ['10.0.0.1-10.0.0.253']],
    ['10.0.0.0/24', '192.168.0.1', ['10.0.0.1-10.0.0.254']],
    ['10.0.0.0/24', undefined, ['10.0.0.1-10.0.0.254']],
    ['10.0.0.0/30', '10.0.0.1', ['10.0.0.2-10.0.0.2']],
    ['10.0.0.0/31', '10.0.0.1', ['10.0.0.0-10.0.0.0']],
    ['10.0.0.1/32', '10.0.0.2', ['10.0.0.1-10.0.0.1']],
    ['fd00:4::/64', 'fd00:4::', ['fd00:4::1-fd00:4::ffff:ffff:ffff:ffff']],
    ['fd00:4::/64', 'fe80::1', ['fd00:4::1-fd00:4::ffff:ffff:ffff:ffff']],
    ['fd00::/127', 'fd00::', ['fd00::1-fd00::1']],
    ['fd00::/127', 'fd00::1', []],
  ])('%s with gateway %s: %j', (text, gateway, pools) => {
    const cidr = cidrOf(text);
    expect(shown(cidr, defaultPools(cidr, gateway === undefined ? undefined : ip(gateway)))).toEqual(pools);
  });

  test('contain exactly the host addresses without the gateway, in order', () => {
    fc.assert(
      fc.property(smallCidr, fc.nat(200), (cidr, at) => {
        const gateway = { version: cidr.version, value: cidr.first + BigInt(at) };
        const pools = defaultPools(cidr, gateway);
        const { first, last } = hostRange(cidr);
        const wanted = addressesOf(cidr).filter(
          (a) => a >= first && a <= last && (a !== gateway.value || cidr.first === cidr.last),
        );
        const held = addressesOf(cidr).filter((a) => pools.some((p) => a >= p.first && a <= p.last));
        expect(held).toEqual(wanted);
        for (const [i, pool] of pools.entries()) expect(pool.first > (pools[i - 1]?.last ?? -1n)).toBe(true);
      }),
    );
  });

  test('are valid as requested pools', () => {
    fc.assert(
      fc.property(smallCidr, fc.nat(200), (cidr, at) => {
        const gateway = { version: cidr.version, value: cidr.first + BigInt(at) };
        const pools = defaultPools(cidr, gateway);
        const text = pools.map((p) => ({
          start: formatIp(cidr.version, p.first),
          end: formatIp(cidr.version, p.last),
        }));
        expect(checkedPools(cidr, text)).toEqual(pools);
        if (cidr.first !== cidr.last) expect(() => requireGatewayOutside(cidr, gateway, pools)).not.toThrow();
      }),
    );
  });
});

describe('requested pools', () => {
  const types = (cidr: string, pools: readonly (readonly [string, string])[]) => {
    try {
      checkedPools(
        cidrOf(cidr),
        pools.map(([start, end]) => ({ start, end })),
      );
      return 'fine';
    } catch (error) {
      return (error as { type: string }).type;
    }
  };

  test.each([
    ['10.0.0.0/24', [['10.0.0.10', '10.0.0.20']], 'fine'],
    ['10.0.0.0/24', [['10.0.0.10', '10.0.0.10']], 'fine'],
    [
      '10.0.0.0/24',
      [
        ['10.0.0.20', '10.0.0.30'],
        ['10.0.0.10', '10.0.0.19'],
      ],
      'fine',
    ],
    ['10.0.0.0/24', [['10.0.0.20', '10.0.0.10']], 'InvalidAllocationPool'],
    ['10.0.0.0/24', [['fd00::1', 'fd00::2']], 'InvalidAllocationPool'],
    ['10.0.0.0/24', [['10.0.0.1', 'fd00::2']], 'InvalidAllocationPool'],
    ['10.0.0.0/24', [['10.0.0.0', '10.0.0.10']], 'OutOfBoundsAllocationPool'],
    ['10.0.0.0/24', [['10.0.0.10', '10.0.0.255']], 'OutOfBoundsAllocationPool'],
    ['10.0.0.0/24', [['10.0.1.1', '10.0.1.2']], 'OutOfBoundsAllocationPool'],
    ['fd00::/64', [['fd00::1', 'fd00::ffff:ffff:ffff:ffff']], 'fine'],
    ['fd00::/64', [['fd00::', 'fd00::1']], 'OutOfBoundsAllocationPool'],
    [
      '10.0.0.0/24',
      [
        ['10.0.0.10', '10.0.0.20'],
        ['10.0.0.20', '10.0.0.30'],
      ],
      'OverlappingAllocationPools',
    ],
    [
      '10.0.0.0/24',
      [
        ['10.0.0.10', '10.0.0.90'],
        ['10.0.0.40', '10.0.0.50'],
      ],
      'OverlappingAllocationPools',
    ],
    [
      '10.0.0.0/24',
      [
        ['10.0.0.5', '10.0.0.6'],
        ['10.0.0.5', '10.0.0.6'],
      ],
      'OverlappingAllocationPools',
    ],
  ] as const)('%s %j: %s', (cidr, pools, outcome) => {
    expect(types(cidr, pools)).toBe(outcome);
  });

  test('overlap if and only if they share an address', () => {
    const cidr = cidrOf('10.0.0.0/26');
    const pool = fc
      .tuple(fc.integer({ min: 1, max: 62 }), fc.nat(8))
      .map(([from, more]) => [from, Math.min(62, from + more)] as const);
    fc.assert(
      fc.property(fc.array(pool, { maxLength: 6 }), (pools) => {
        const shared = pools.some(([a, b], i) => pools.some(([c, d], j) => i < j && a <= d && c <= b));
        const outcome = types(
          '10.0.0.0/26',
          pools.map(([a, b]) => [`10.0.0.${a}`, `10.0.0.${b}`] as const),
        );
        expect(outcome).toBe(shared ? 'OverlappingAllocationPools' : 'fine');
        expect(cidr.version).toBe(4);
      }),
    );
  });
});

test.each([
  ['10.0.0.0/24', '10.0.0.0', true],
  ['10.0.0.0/24', '10.0.0.255', true],
  ['10.0.0.0/24', '10.0.0.1', false],
  ['10.0.0.0/24', '10.0.1.0', false],
  ['10.0.0.0/31', '10.0.0.0', false],
  ['10.0.0.0/32', '10.0.0.0', false],
  ['fd00::/64', 'fd00::', false],
  ['fd00::/64', 'fd00::ffff:ffff:ffff:ffff', false],
])('in %s the gateway %s is no host: %s', (cidr, gateway, outcome) => {
  expect(isNoHost(cidrOf(cidr), ip(gateway))).toBe(outcome);
});
