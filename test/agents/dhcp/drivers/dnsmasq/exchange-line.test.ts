import { describe, expect, test } from 'vitest';
import { parseExchangeLine } from '../../../../../src/agents/dhcp/drivers/dnsmasq/exchange-line.ts';

describe('a line of the log of dnsmasq', () => {
  const at = 'Nov  2 23:08:01 dnsmasq-dhcp[123]:';
  const mac = 'fa:16:3e:00:00:01';
  const common = { time: '23:08:01', device: 'tap01234567-89', mac, address: null, note: null };

  test.each([
    [`${at} DHCPDISCOVER(tap01234567-89) ${mac} `, { ...common, kind: 'DISCOVER' }],
    [`${at} 2745243 DHCPOFFER(tap01234567-89) 10.0.0.5 ${mac} `, { ...common, kind: 'OFFER', address: '10.0.0.5' }],
    [
      `${at} DHCPACK(tap01234567-89) 10.0.0.5 ${mac} host-10-0-0-5`,
      { ...common, kind: 'ACK', address: '10.0.0.5', note: 'host-10-0-0-5' },
    ],
    [
      `${at} DHCPNAK(tap01234567-89) 10.0.0.5 ${mac} wrong address`,
      { ...common, kind: 'NAK', address: '10.0.0.5', note: 'wrong address' },
    ],
    [
      `${at} DHCPDISCOVER(tap01234567-89) ${mac} no address available`,
      { ...common, kind: 'DISCOVER', note: 'no address available' },
    ],
  ])('%s', (line, message) => {
    expect(parseExchangeLine(line)).toEqual(message);
  });

  test.each([
    `${at} read /x/host`,
    'Nov  2 23:08:01 dnsmasq[123]: started, version 2.90',
    `${at} 2745243 available DHCP subnet: 10.0.0.0/255.255.255.0`,
    '',
  ])('%s holds no message', (line) => {
    expect(parseExchangeLine(line)).toBeUndefined();
  });
});
