import { expect, test } from 'vitest';
import {
  crashesOnReload,
  parseVersion,
  suitabilityOf,
} from '../../../../../src/agents/dhcp/drivers/dnsmasq/version.ts';

const UNMET = /needed/;
const WARNED = /does not answer DHCPv6 Rebind/;

test.each<[output: string, unmet?: RegExp | undefined, warning?: RegExp]>([
  ['Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley\nCompile time options: IPv6'],
  ['Dnsmasq version 2.86  Copyright'],
  ['Dnsmasq version 3.0  Copyright'],
  ['Dnsmasq version 2.100  Copyright'],
  ['Dnsmasq version 2.90-4+deb12u1  Copyright'],
  ['Dnsmasq version 2.85  Copyright', undefined, WARNED],
  ['Dnsmasq version 2.81rc4  Copyright', undefined, WARNED],
  ['Dnsmasq version 2.80  Copyright', UNMET],
  ['Dnsmasq version 2.9  Copyright', UNMET],
  ['Dnsmasq version 1.18  Copyright', UNMET],
  ['Dnsmasq version UNKNOWN  Copyright', UNMET],
  ['', UNMET],
])('%j', (output, unmet, warning) => {
  const found = suitabilityOf(parseVersion(output));
  expect([found.unmet, found.warning]).toEqual([
    unmet ? expect.stringMatching(unmet) : undefined,
    warning ? expect.stringMatching(warning) : undefined,
  ]);
});

test('a reload after an answer to a host with a tag ends 2.86 to 2.90, and perhaps versions without a number', () => {
  const versions = ['2.85', '2.86', '2.90', '2.91', '2.100', '3.0', 'UNKNOWN'];
  const crashing = versions.filter((one) => crashesOnReload(parseVersion(`Dnsmasq version ${one}  Copyright`)));
  expect(crashing).toEqual(['2.86', '2.90', 'UNKNOWN']);
});
