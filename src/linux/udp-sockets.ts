import { closeSync } from 'node:fs';
import { inNamespace } from './in-namespace.ts';
import { libc } from './native.ts';
import {
  AF_INET,
  hostInt,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  sockaddrIn,
} from './socket-addresses.ts';

const SOCK_DGRAM = 2;
const SO_BINDTODEVICE = 25;
const SO_BROADCAST = 6;
const MAX_DATAGRAM_BYTES = 65_535;

/** A UDP socket (IPv4) of one device in a namespace. All calls are synchronous; none blocks. */
export interface DeviceSocket {
  /** Returns the datagrams that have arrived. */
  receive(): readonly Buffer[];
  /** Throws SystemCallFailed. */
  send(datagram: Uint8Array, address: string, port: number): void;
  close(): void;
}

/**
 * Opens a UDP socket on a port of a device in a namespace, beside others of this user that share the port (SO_REUSEPORT). Unicasts
 * that arrive on the device then come to this socket alone, because the kernel prefers sockets that are bound to a device;
 * broadcasts come to all of them. Throws SystemCallFailed, and Error if libc cannot be called or the namespace does not exist.
 */
export function openDeviceSocket(namespace: string, device: string, port: number): DeviceSocket {
  const calls = libc();
  const fd = inNamespace(namespace, () => {
    const opened = calls.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    try {
      for (const option of [SO_REUSEADDR, SO_REUSEPORT, SO_BROADCAST])
        calls.setsockopt(opened, SOL_SOCKET, option, hostInt(1), 4);
      const name = Buffer.from(`${device}\0`);
      calls.setsockopt(opened, SOL_SOCKET, SO_BINDTODEVICE, name, name.length);
      const address = sockaddrIn('0.0.0.0', port);
      calls.bind(opened, address, address.length);
      return opened;
    } catch (error) {
      closeSync(opened);
      throw error;
    }
  });
  const space = Buffer.alloc(MAX_DATAGRAM_BYTES);
  const next = (): Buffer | undefined => {
    try {
      return Buffer.from(space.subarray(0, calls.recv(fd, space, space.length, 0)));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
      throw error;
    }
  };
  return {
    receive() {
      const datagrams: Buffer[] = [];
      for (let one = next(); one; one = next()) datagrams.push(one);
      return datagrams;
    },
    send(datagram, address, toPort) {
      const to = sockaddrIn(address, toPort);
      calls.sendto(fd, datagram, datagram.length, 0, to, to.length);
    },
    close: () => closeSync(fd),
  };
}
