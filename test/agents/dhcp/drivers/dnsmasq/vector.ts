import { expect } from 'vitest';
import {
  type RenderedNetwork,
  renderLeases,
  renderNetwork,
} from '../../../../../src/agents/dhcp/drivers/dnsmasq/render.ts';
import { type Config, defaultConfig } from '../../../../../src/config/options.ts';
import type { NetworkInfo } from '../../../../../src/rpc/documents.ts';

/** What Neutron's driver writes for a network document. */
export interface Expected {
  readonly host: string;
  readonly addn_hosts: string;
  readonly opts: string;
  readonly leases: string;
  readonly cmdline: readonly string[];
  readonly enable_dhcp: boolean;
  readonly enable_metadata: boolean;
}

/** A network document, and options that differ from their defaults. */
export interface Case {
  readonly config: Readonly<Record<string, unknown>>;
  readonly network: NetworkInfo;
}

export interface Vector extends Case {
  readonly expected: Expected;
}

const lines = (text: string): string[] =>
  text
    .split('\n')
    .filter((one) => one !== '')
    .sort();
/** Without the moment of expiry, which depends on the clock; only whether there is one. */
const leases = (text: string): string[] => lines(text.replaceAll(/^[1-9]\d* /gm, 'EXPIRES '));

/** Fails unless our driver writes what Neutron's does, and omits nothing. */
export function compare({ config, network, expected }: Vector): void {
  const options = { ...defaultConfig().DEFAULT, dhcp_confs: '$state_path/dhcp', ...config };
  const unknown = Object.keys(config).filter((option) => !(option in defaultConfig().DEFAULT));
  expect(unknown).toEqual([]);
  const made: RenderedNetwork = renderNetwork(network, { ...defaultConfig(), DEFAULT: options } as Config);

  expect(made.refused).toEqual([]);
  expect(lines(made.host)).toEqual(lines(expected.host));
  expect(lines(made.addnHosts)).toEqual(lines(expected.addn_hosts));
  expect(lines(made.opts)).toEqual(lines(expected.opts));
  const expires = options.dhcp_lease_duration === -1 ? 0 : 1_700_000_000;
  expect(leases(renderLeases(made.entitled, expires))).toEqual(leases(expected.leases));
  expect([...made.commandLine]).toEqual(expect.arrayContaining([...expected.cmdline]));
  expect(made.enableDhcp).toBe(expected.enable_dhcp);
  expect(made.enableMetadata).toBe(expected.enable_metadata);

  // Order matters where a port has a line without an address: dnsmasq takes the last that fits.
  const macs = made.host.split('\n').filter((one) => /^[^,]+,tag:dhcpv6,set:[^,]+$/.test(one));
  for (const one of macs) {
    const mine = made.host.split('\n').filter((other) => other.startsWith(one.slice(0, 17)));
    expect(mine[0]).toBe(one);
  }
}
