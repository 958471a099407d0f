import { closeSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { formatIp } from '../net/addresses.ts';
import { inNamespace } from './in-namespace.ts';
import { type Libc, libc } from './native.ts';
import {
  AF_INET,
  AF_INET6,
  hostInt,
  hostView,
  isLittle,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCKADDR_IN6_BYTES,
  SOL_SOCKET,
  sockaddrIn,
  sockaddrIn6,
} from './socket-addresses.ts';

const SOCK_STREAM = 1;
const IPPROTO_IP = 0;
const IP_FREEBIND = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPV6_FREEBIND = 78;

export interface TcpListener {
  readonly namespace: string;
  readonly address: string;
  readonly port: number;
  /** The device of a link-local address, which is meaningless without one. */
  readonly device?: string;
  readonly backlog: number;
}

/** A listening socket, for `listen({ fd })` of node:net, which closes it. */
export interface ListeningSocket {
  readonly fd: number;
  /** Index of its device in its namespace; 0: any device. A device that is created anew gets another one. */
  readonly deviceIndex: number;
}

/** Returns the index of a device in a namespace. Throws if there is no such device. */
export const deviceIndexIn = (namespace: string, device: string): number =>
  inNamespace(namespace, () => indexOf(libc(), device));

/**
 * Opens a listening TCP socket in a namespace. The address need not be there yet (IP_FREEBIND), or may be tentative; further
 * sockets of this user may listen on the same address and port (SO_REUSEPORT), so that one process can replace another without a
 * gap. Throws SystemCallFailed, and Error if the namespace or the device does not exist.
 */
export function listenTcp({ namespace, address, port, device, backlog }: TcpListener): ListeningSocket {
  return inNamespace(namespace, () => {
    const calls = libc();
    const isV6 = isIPv6(address);
    const deviceIndex = device === undefined ? 0 : indexOf(calls, device);
    const fd = calls.socket(isV6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    try {
      const set = (level: number, name: number) => calls.setsockopt(fd, level, name, hostInt(1), 4);
      set(SOL_SOCKET, SO_REUSEADDR);
      set(SOL_SOCKET, SO_REUSEPORT);
      if (isV6) set(IPPROTO_IPV6, IPV6_V6ONLY);
      if (isV6) set(IPPROTO_IPV6, IPV6_FREEBIND);
      else set(IPPROTO_IP, IP_FREEBIND);
      const name = isV6 ? sockaddrIn6(address, port, deviceIndex) : sockaddrIn(address, port);
      calls.bind(fd, name, name.length);
      calls.listen(fd, backlog);
      return { fd, deviceIndex };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  });
}

/**
 * Returns the address of the peer of a connection, without zone. Node cannot, if the peer's address is link-local and the
 * connection is in another namespace, because it looks up the name of the device in its own. Throws SystemCallFailed.
 */
export function peerAddress(fd: number): string {
  const name = Buffer.alloc(SOCKADDR_IN6_BYTES);
  libc().getpeername(fd, name, hostInt(name.length));
  const isV6 = hostView(name).getUint16(0, isLittle) === AF_INET6;
  const bytes = isV6 ? name.subarray(8, 24) : name.subarray(4, 8);
  return formatIp(isV6 ? 6 : 4, BigInt(`0x${bytes.toString('hex')}`));
}

function indexOf({ if_nametoindex }: Libc, device: string): number {
  const index = if_nametoindex(device);
  if (index === 0) throw new Error(`there is no device ${device}`);
  return index;
}
