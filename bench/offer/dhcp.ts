/** The subset of DHCP (RFC 2131, RFC 2132) needed to discover servers and recognize offers. */

const BOOTREQUEST = 1;
const BOOTREPLY = 2;
const ETHERNET = 1;
/** The client has no address yet: replies must be broadcast. */
const BROADCAST = 0x8000;
const MAGIC_COOKIE = 0x63825363;
const MESSAGE_TYPE = 53;
const DISCOVER = 1;
const OFFER = 2;
const PAD = 0;
const END = 255;
const OPTIONS_AT = 240;
/** BOOTP's minimum size, which some servers require. */
const LEAST_BYTES = 300;

/** Returns a DHCPDISCOVER of a client with this MAC (`fa:16:3e:00:00:01`); `xid`: the transaction id, 32 bits. */
export function discoverPacket(mac: string, xid: number): Buffer {
  const packet = Buffer.alloc(LEAST_BYTES);
  packet.set([BOOTREQUEST, ETHERNET, 6, 0]);
  packet.writeUInt32BE(xid, 4);
  packet.writeUInt16BE(BROADCAST, 10);
  packet.set(
    mac.split(':').map((byte) => Number.parseInt(byte, 16)),
    28,
  );
  packet.writeUInt32BE(MAGIC_COOKIE, 236);
  packet.set([MESSAGE_TYPE, 1, DISCOVER, END], OPTIONS_AT);
  return packet;
}

/** Returns the address offered by a packet in the transaction `xid`; undefined if it is not a DHCPOFFER of that transaction. */
export function offeredAddress(packet: Buffer, xid: number): string | undefined {
  if (packet.length < OPTIONS_AT || packet[0] !== BOOTREPLY || packet.readUInt32BE(4) !== xid) return undefined;
  if (packet.readUInt32BE(236) !== MAGIC_COOKIE || messageType(packet) !== OFFER) return undefined;
  return [...packet.subarray(16, 20)].join('.');
}

function messageType(packet: Buffer): number | undefined {
  for (let at = OPTIONS_AT; at < packet.length && packet[at] !== END; ) {
    if (packet[at] === PAD) {
      at++;
      continue;
    }
    if (packet[at] === MESSAGE_TYPE) return packet[at + 2];
    at += 2 + (packet[at + 1] ?? 0);
  }
  return undefined;
}
