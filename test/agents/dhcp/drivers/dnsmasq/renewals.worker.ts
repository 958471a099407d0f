// Renews leases from inside a namespace, each from its own address, over and over; no request is sent twice.
// Arguments: address of the server, milliseconds between two requests, then address=MAC of each lease.
// Prints `renewing` when it begins, and the counts as JSON after its input has ended.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface Renewals {
  sent: number;
  acknowledged: number;
  refused: number;
  unanswered: number;
}

const PATIENCE_MS = 2_000;
const LOOK_MS = 20;
const ACK = 5;

/** A DHCPREQUEST in state RENEWING (RFC 2131, 4.3.2): the address in ciaddr, neither a requested address nor a server. */
function request(xid: number, address: string, mac: string): Buffer {
  const packet = Buffer.alloc(300);
  packet.set([1, 1, 6, 0]);
  packet.writeUInt32BE(xid, 4);
  packet.set(address.split('.').map(Number), 12);
  packet.set(Buffer.from(mac.replaceAll(':', ''), 'hex'), 28);
  packet.set([0x63, 0x82, 0x53, 0x63, 53, 1, 3, 55, 2, 1, 67, 255], 236);
  return packet;
}

async function renew(server: string, everyMs: number, leases: readonly string[]): Promise<Renewals> {
  const counts: Renewals = { sent: 0, acknowledged: 0, refused: 0, unanswered: 0 };
  const waiting = new Set<number>();
  const answered = (packet: Buffer) => {
    if (!waiting.delete(packet.readUInt32BE(4))) return;
    if (packet[packet.indexOf(Buffer.from([53, 1]), 240) + 2] === ACK) counts.acknowledged++;
    else counts.refused++;
  };
  const open = async (address: string): Promise<Socket> => {
    const socket = createSocket('udp4', answered);
    // Nobody listens while dnsmasq is replaced, if requests are not held.
    socket.on('error', () => undefined);
    socket.bind(68, address);
    await once(socket, 'listening');
    return socket;
  };
  const clients = await Promise.all(
    leases.map(async (lease) => {
      const [address = '', mac = ''] = lease.split('=');
      return { address, mac, socket: await open(address) };
    }),
  );
  const timer = setInterval(() => {
    const client = clients[counts.sent % clients.length];
    const xid = ++counts.sent;
    waiting.add(xid);
    client?.socket.send(request(xid, client.address, client.mac), 67, server);
  }, everyMs);
  process.stdout.write('renewing\n');
  process.stdin.resume();
  await once(process.stdin, 'end');
  clearInterval(timer);
  for (let waited = 0; waiting.size > 0 && waited < PATIENCE_MS; waited += LOOK_MS)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  counts.unanswered = waiting.size;
  for (const { socket } of clients) socket.close();
  return counts;
}

const [server = '', everyMs = '', ...leases] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await renew(server, Number(everyMs), leases))}\n`);
