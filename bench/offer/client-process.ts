import { createSocket } from 'node:dgram';
import { answerParent } from '../child.ts';
import { discoverPacket, offeredAddress } from './dhcp.ts';

/** Starts to send DHCPDISCOVERs for a MAC, until an address is offered. The response follows the first one. */
export interface StartJob {
  readonly kind: 'start';
  readonly mac: string;
  readonly everyMs: number;
}

/** Waits for the first offer to the MAC of the last StartJob. */
export interface OfferJob {
  readonly kind: 'offer';
  readonly timeoutMs: number;
}

export interface OfferResult {
  readonly address: string;
  /** Nanoseconds of the machine's monotonic clock, which all its processes share, as text. */
  readonly at: string;
}

const CLIENT_PORT = 68;
const SERVER_PORT = 67;

const socket = createSocket('udp4');
await new Promise<void>((resolve) => socket.bind(CLIENT_PORT, () => resolve()));
socket.setBroadcast(true);

let xid = 0;
let offered: OfferResult | undefined;
let tell: ((result: OfferResult) => void) | undefined;
let timer: NodeJS.Timeout | undefined;

socket.on('message', (packet) => {
  const at = process.hrtime.bigint().toString();
  const address = offered === undefined ? offeredAddress(packet, xid) : undefined;
  if (address === undefined) return;
  clearInterval(timer);
  offered = { address, at };
  tell?.(offered);
});

async function start({ mac, everyMs }: StartJob): Promise<object> {
  clearInterval(timer);
  xid = Math.floor(Math.random() * 2 ** 32);
  offered = undefined;
  tell = undefined;
  const packet = discoverPacket(mac, xid);
  const send = () => new Promise((resolve) => socket.send(packet, SERVER_PORT, '255.255.255.255', resolve));
  await send();
  timer = setInterval(() => void send(), everyMs);
  return {};
}

async function firstOffer({ timeoutMs }: OfferJob): Promise<OfferResult> {
  if (offered) return offered;
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      clearInterval(timer);
      reject(new Error(`no DHCPOFFER within ${timeoutMs} ms`));
    }, timeoutMs);
    tell = (result) => {
      clearTimeout(deadline);
      resolve(result);
    };
  });
}

answerParent((job: StartJob | OfferJob) => (job.kind === 'start' ? start(job) : firstOffer(job)));
