import { expect, test } from 'vitest';
import { discoverPacket, offeredAddress } from '../../../bench/offer/dhcp.ts';

const MAC = 'fa:16:3e:0a:0b:0c';

/** What a server makes of a DISCOVER: the same packet as a reply, with an address and options of its own. */
function reply(type: number, options: readonly number[] = []): Buffer {
  const packet = discoverPacket(MAC, 0x12345678);
  packet[0] = 2;
  packet.set([10, 0, 0, 17], 16);
  packet.set([...options, 53, 1, type, 255], 240);
  return packet;
}

test('a DISCOVER contains only the MAC and the request for broadcast replies', () => {
  const packet = discoverPacket(MAC, 0x12345678);
  expect(packet.subarray(0, 12).toString('hex')).toBe('010106001234567800008000');
  expect(packet.subarray(12, 28).every((byte) => byte === 0)).toBe(true);
  expect(packet.subarray(28, 44).toString('hex')).toBe('fa163e0a0b0c00000000000000000000');
  expect(packet.subarray(236, 244).toString('hex')).toBe('63825363350101ff');
  expect(packet.length).toBe(300);
});

test('the address of an OFFER is read, whatever the position of the message type among the options', () => {
  expect(offeredAddress(reply(2), 0x12345678)).toBe('10.0.0.17');
  expect(offeredAddress(reply(2, [0, 0, 54, 4, 10, 0, 0, 1]), 0x12345678)).toBe('10.0.0.17');
});

test('other transactions, other messages and other packets contain no offer', () => {
  expect(offeredAddress(reply(2), 0x12345679)).toBe(undefined);
  expect(offeredAddress(reply(5), 0x12345678)).toBe(undefined);
  expect(offeredAddress(discoverPacket(MAC, 1), 1)).toBe(undefined);
  expect(offeredAddress(Buffer.from('hello'), 1)).toBe(undefined);
  expect(offeredAddress(reply(2).subarray(0, 242), 0x12345678)).toBe(undefined);
});
