import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compare, type Vector } from './vector.ts';

const FOLDER = new URL('../../../../fixtures/vectors/dnsmasq/', import.meta.url);
/** What the driver of Neutron 21 writes for one network, with its IPv6 subnet in each mode. */
const MODES = new URL('../../../../fixtures/vectors/dnsmasq-ipv6-modes.json', import.meta.url);
const MODE_VECTORS = JSON.parse(readFileSync(MODES, 'utf8')) as readonly Vector[];
/** What it writes for random documents (test/interop/dhcp-driver), most of routed networks; `about` says why each was chosen. */
const SEGMENTS = new URL('../../../../fixtures/vectors/dnsmasq-segments.json', import.meta.url);
const SEGMENT_VECTORS = JSON.parse(readFileSync(SEGMENTS, 'utf8')) as readonly (Vector & { readonly about: string })[];
const subnet6 = ({ network }: Vector) => network.subnets.find(({ ip_version }) => ip_version === 6);
const modesOf = (vector: Vector) => [subnet6(vector)?.ipv6_ra_mode, subnet6(vector)?.ipv6_address_mode];
const modeName = (vector: Vector): string => {
  const [ra, address] = modesOf(vector);
  return `ra ${ra}, address ${address}, ${subnet6(vector)?.cidr}, ${JSON.stringify(vector.config)}`;
};

describe('files and command line are those that stock Neutron makes', () => {
  const names = readdirSync(FOLDER);
  test('all vectors are here', () => expect(names).toHaveLength(60));

  test.each(names)('%s', (name) => {
    compare(JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Vector);
  });

  const modes = MODE_VECTORS.map((vector): [string, Vector] => [modeName(vector), vector]);
  test.each(modes)('IPv6: %s', (_, vector) => compare(vector));

  const segments = SEGMENT_VECTORS.map((vector): [string, Vector] => [`${vector.about}, ${vector.network.id}`, vector]);
  test.each(segments)('further documents: %s', (_, vector) => compare(vector));

  test('every legal combination of ipv6_ra_mode and ipv6_address_mode is here', () => {
    const own = ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'];
    const legal = [
      [null, null],
      ...own.flatMap((mode) => [
        [mode, mode],
        [mode, null],
        [null, mode],
      ]),
    ];
    const seen = MODE_VECTORS.map((vector) => JSON.stringify(modesOf(vector)));
    expect([...new Set(seen)].sort()).toEqual(legal.map((pair) => JSON.stringify(pair)).sort());
  });
});
