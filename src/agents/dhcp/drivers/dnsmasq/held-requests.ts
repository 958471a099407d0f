import type { Logger } from 'pino';
import { listAddresses } from '../../../../linux/addresses.ts';
import { nativeObstacle } from '../../../../linux/native.ts';
import { type DeviceSocket, openDeviceSocket } from '../../../../linux/udp-sockets.ts';
import { pause } from '../../../../time/pause.ts';
import { WaitTimeout } from '../../../../time/wait.ts';
import { readLeaseFile } from './lease-file.ts';
import { type Lease, parseLeases } from './leases.ts';
import { type ServerProcess, waitUntilIdle } from './server-process.ts';

const SERVER_PORT = 67;
/** More are dropped: machines ask again, and dnsmasq's own queue is no longer. */
const MAX_HELD = 1_000;
const COLLECT_MS = 5;
/** So many are replayed at a time, which fit into dnsmasq's queue. */
const BATCH = 16;

/**
 * Takes the DHCPv4 requests of machines while one dnsmasq replaces another, and sends them to the next one, so that no machine has
 * to ask twice. DHCPv6 requests are not held: the answer goes to the address that a request comes from, and machines ask again
 * within a second.
 */
class HeldRequests {
  readonly #socket: DeviceSocket;
  readonly #where: { readonly namespace: string; readonly device: string };
  readonly #held: Buffer[] = [];
  readonly #timer: NodeJS.Timeout;
  #open = true;

  /** Throws if libc cannot be called, or if the namespace does not exist. */
  constructor(where: { readonly namespace: string; readonly device: string }) {
    this.#where = where;
    this.#socket = openDeviceSocket(where.namespace, where.device, SERVER_PORT);
    this.#timer = setInterval(() => this.#collect(), COLLECT_MS);
  }

  #collect(): void {
    const room = MAX_HELD - this.#held.length;
    this.#held.push(...this.#socket.receive().slice(0, room));
  }

  /** Stops taking requests. They go to dnsmasq again, which MUST have bound its sockets. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#timer);
    // In one go: what arrives between the two calls would be lost.
    this.#collect();
    this.#socket.close();
  }

  /**
   * Sends dnsmasq the requests that were held, as if their machines had sent them now. Returns how many.
   *
   * @param leaseFile the leases that it knows.
   */
  async replay(leaseFile: string): Promise<number> {
    this.close();
    const leases = parseLeases(leaseFile);
    const requests = this.#held.splice(0).filter((packet) => mayReplay(packet, leases));
    if (requests.length === 0) return 0;
    const { namespace, device } = this.#where;
    const address = (await listAddresses(device, { namespace })).find(({ family }) => family === 4)?.address;
    if (address === undefined) return 0;
    // Bound to the device, so that dnsmasq takes it for the one on which they arrived. Its own port 68 is nobody's.
    const socket = openDeviceSocket(namespace, device, 68);
    try {
      for (const [n, packet] of requests.entries()) {
        if (n > 0 && n % BATCH === 0) await pause(COLLECT_MS);
        socket.send(packet, address, SERVER_PORT);
      }
    } finally {
      socket.close();
    }
    return requests.length;
  }
}

/** Time for a dnsmasq that is replaced to answer what it has been asked. */
const ANSWERS_MS = 1_000;

/** The place where requests arrive, and the leases of dnsmasq there. */
interface Where {
  readonly namespace: string;
  readonly device: string;
  readonly leaseFile: string;
  readonly log: Logger;
}

/**
 * Replaces a running dnsmasq with the one that `replace` starts, and resolves to that one. Requests are held meanwhile, if possible
 * on this machine; otherwise machines must ask again.
 */
export async function withRequestsHeld(
  { leaseFile, log, ...where }: Where,
  running: ServerProcess,
  replace: () => Promise<ServerProcess>,
): Promise<ServerProcess> {
  const held = hold(where, log);
  if (!held) return replace();
  try {
    // What has come until now is its own to answer.
    await waitUntilIdle(running, ANSWERS_MS).catch(ignoreTimeout);
    const next = await replace();
    const requests = await held.replay((await readLeaseFile(leaseFile, next)) ?? '');
    if (requests > 0) log.info({ requests }, 'dnsmasq was sent the requests that came meanwhile');
    return next;
  } finally {
    held.close();
  }
}

function ignoreTimeout(error: unknown): void {
  if (!(error instanceof WaitTimeout)) throw error;
}

function hold(where: { readonly namespace: string; readonly device: string }, log: Logger): HeldRequests | undefined {
  if (nativeObstacle() !== undefined) return undefined;
  try {
    return new HeldRequests(where);
  } catch (error) {
    log.debug({ err: error }, 'requests are not held while dnsmasq is replaced');
    return undefined;
  }
}

// RFC 2131, 2: offsets in a message; RFC 2132: options.
const [OP, CIADDR, CHADDR, OPTIONS] = [0, 12, 28, 240];
const [REQUESTED_ADDRESS, MESSAGE_TYPE, SERVER_ID] = [50, 53, 54];
const [BOOTREQUEST, DHCPREQUEST] = [1, 3];

/**
 * Returns whether a request may come by unicast, as replayed ones do, even if its machine broadcast it. The exception is a rebinding
 * machine whose lease is another server's: dnsmasq ignores its broadcast, but would refuse (NAK) a unicast.
 */
export function mayReplay(packet: Buffer, leases: readonly Lease[]): boolean {
  if (packet.length <= OPTIONS || packet[OP] !== BOOTREQUEST) return false;
  const options = optionsOf(packet);
  if (options.get(MESSAGE_TYPE)?.[0] !== DHCPREQUEST) return true;
  if (options.has(SERVER_ID) || options.has(REQUESTED_ADDRESS)) return true;
  const address = packet.subarray(CIADDR, CIADDR + 4).join('.');
  const mac = packet.subarray(CHADDR, CHADDR + 6).toString('hex');
  return leases.some((one) => one.address === address && one.hardware.replaceAll(':', '') === mac);
}

function optionsOf(packet: Buffer): ReadonlyMap<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = OPTIONS; at + 1 < packet.length; ) {
    const [code = 255, length = 0] = packet.subarray(at, at + 2);
    if (code === 255) break;
    if (code === 0) {
      at += 1;
      continue;
    }
    options.set(code, packet.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}
