import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderLeases, renderNetwork } from '../../../../../src/agents/dhcp/drivers/dnsmasq/render.ts';
import { type Config, defaultConfig } from '../../../../../src/config/options.ts';
import type { NetworkInfo } from '../../../../../src/rpc/documents.ts';

interface Vector {
  readonly config: Readonly<Record<string, unknown>>;
  readonly network: NetworkInfo;
  readonly expected: {
    readonly host: string;
    readonly addn_hosts: string;
    readonly opts: string;
    readonly leases: string;
    readonly cmdline: readonly string[];
    readonly enable_dhcp: boolean;
    readonly enable_metadata: boolean;
  };
}

const FOLDER = new URL('../../../../fixtures/vectors/dnsmasq/', import.meta.url);
/** What the driver of Neutron 21 writes for one network, with its IPv6 subnet in each mode. */
const MODES = new URL('../../../../fixtures/vectors/dnsmasq-ipv6-modes.json', import.meta.url);
const MODE_VECTORS = JSON.parse(readFileSync(MODES, 'utf8')) as readonly Vector[];
const subnet6 = ({ network }: Vector) => network.subnets.find(({ ip_version }) => ip_version === 6);
const modesOf = (vector: Vector) => [subnet6(vector)?.ipv6_ra_mode, subnet6(vector)?.ipv6_address_mode];
const modeName = (vector: Vector): string => {
  const [ra, address] = modesOf(vector);
  return `ra ${ra}, address ${address}, ${subnet6(vector)?.cidr}, ${JSON.stringify(vector.config)}`;
};
const lines = (text: string): string[] =>
  text
    .split('\n')
    .filter((one) => one !== '')
    .sort();
/** Without the moment of expiry, which depends on the clock; only whether there is one. */
const leases = (text: string): string[] => lines(text.replaceAll(/^[1-9]\d* /gm, 'EXPIRES '));

describe('files and command line are those that stock Neutron makes', () => {
  const names = readdirSync(FOLDER);
  test('all vectors are here', () => expect(names).toHaveLength(60));

  test.each(names)('%s', (name) => {
    compare(JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Vector);
  });

  const modes = MODE_VECTORS.map((vector): [string, Vector] => [modeName(vector), vector]);
  test.each(modes)('IPv6: %s', (_, vector) => compare(vector));

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

function compare({ config, network, expected }: Vector): void {
  const options = { ...defaultConfig().DEFAULT, dhcp_confs: '$state_path/dhcp', ...config };
  const unknown = Object.keys(config).filter((option) => !(option in defaultConfig().DEFAULT));
  expect(unknown).toEqual([]);
  const made = renderNetwork(network, { ...defaultConfig(), DEFAULT: options } as Config);

  expect(lines(made.host)).toEqual(lines(expected.host));
  expect(lines(made.addnHosts)).toEqual(lines(expected.addn_hosts));
  expect(lines(made.opts)).toEqual(lines(expected.opts));
  const expires = options.dhcp_lease_duration === -1 ? 0 : 1_700_000_000;
  expect(leases(renderLeases(made.entitled, expires))).toEqual(leases(expected.leases));
  expect([...made.commandLine]).toEqual(expect.arrayContaining([...expected.cmdline]));
  expect(made.enableDhcp).toBe(expected.enable_dhcp);
  expect(made.enableMetadata).toBe(expected.enable_metadata);
  expect(made.refused).toEqual([]);

  // Order matters where a port has a line without an address: dnsmasq takes the last that fits.
  const macs = made.host.split('\n').filter((one) => /^[^,]+,tag:dhcpv6,set:[^,]+$/.test(one));
  for (const one of macs) {
    const mine = made.host.split('\n').filter((other) => other.startsWith(one.slice(0, 17)));
    expect(mine[0]).toBe(one);
  }
}
