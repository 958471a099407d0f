import { describe, expect, test } from 'vitest';
import { mayReplay } from '../../../../../src/agents/dhcp/drivers/dnsmasq/held-requests.ts';
import { parseLeases } from '../../../../../src/agents/dhcp/drivers/dnsmasq/leases.ts';

const LEASES = parseLeases('1 fa:16:3e:00:00:01 10.0.0.1 * *\n1 fa:16:3e:00:00:02 10.0.0.2 * *\n');

function message(type: number, { ciaddr = 0, mac = 1, options = [] as number[], op = 1 } = {}): Buffer {
  const packet = Buffer.alloc(300);
  packet[0] = op;
  if (ciaddr > 0) packet.set([10, 0, 0, ciaddr], 12);
  packet.set([0xfa, 0x16, 0x3e, 0, 0, mac], 28);
  packet.set([0x63, 0x82, 0x53, 0x63, 0, 53, 1, type, ...options, 255], 236);
  return packet;
}

const [DISCOVER, REQUEST, RELEASE] = [1, 3, 7];

describe('a request that was held is sent to dnsmasq again', () => {
  test.each([
    ['DISCOVER', message(DISCOVER, { mac: 9 }), true],
    ['RELEASE', message(RELEASE, { ciaddr: 1 }), true],
    ['REQUEST for an offer', message(REQUEST, { mac: 9, options: [54, 4, 10, 0, 0, 9] }), true],
    ['REQUEST after a reboot', message(REQUEST, { mac: 9, options: [50, 4, 10, 0, 0, 1] }), true],
    ['REQUEST that renews', message(REQUEST, { ciaddr: 1 }), true],
    ['REQUEST that renews an address of another machine', message(REQUEST, { ciaddr: 2 }), false],
    ['REQUEST that rebinds a lease of another server', message(REQUEST, { ciaddr: 9, mac: 9 }), false],
    ['an answer', message(DISCOVER, { op: 2 }), false],
    ['a fragment', Buffer.alloc(100, 1), false],
    ['an option longer than the message', message(REQUEST, { ciaddr: 1, options: [12, 255] }).subarray(0, 246), true],
  ])('%s: %s', (_, packet, expected) => expect(mayReplay(packet, LEASES)).toBe(expected));
});
