import { expect, it } from 'vitest';
import { dhcpDeviceId, hostUuid } from '../../src/net/dhcp-device-id.ts';

const NETWORK = '714aebe9-f5a0-4676-ab15-db78a80b2d1a';

it('is the device id of a stock DHCP agent’s port on host vm', () => {
  expect(dhcpDeviceId('vm', NETWORK)).toBe(`dhcpe5e61fb5-d685-5b50-9ba7-acb6e6962ef3-${NETWORK}`);
});

it('uses a host name only up to the first dot', () => {
  expect(dhcpDeviceId('vm.example.org', NETWORK)).toBe(dhcpDeviceId('vm', NETWORK));
  expect(dhcpDeviceId('vm2', NETWORK)).not.toBe(dhcpDeviceId('vm', NETWORK));
});

it('contains a UUID of version 5 (example of RFC 9562, appendix A.4)', () => {
  expect(hostUuid('www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
});
