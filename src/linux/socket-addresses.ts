import { endianness } from 'node:os';
import { parseIp } from '../net/addresses.ts';

// socket.h, as on all architectures of Node.
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_REUSEPORT = 15;
const SOCKADDR_IN_BYTES = 16;
export const SOCKADDR_IN6_BYTES = 28;

export const isLittle = endianness() === 'LE';

export const hostView = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** Returns an int in the machine's byte order. */
export function hostInt(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  hostView(bytes).setInt32(0, value, isLittle);
  return bytes;
}

/** ip(7) */
export function sockaddrIn(address: string, port: number): Uint8Array {
  const name = Buffer.alloc(SOCKADDR_IN_BYTES);
  hostView(name).setUint16(0, AF_INET, isLittle);
  name.writeUInt16BE(port, 2);
  name.set(addressBytes(address, 4), 4);
  return name;
}

/** ipv6(7) */
export function sockaddrIn6(address: string, port: number, scopeId: number): Uint8Array {
  const name = Buffer.alloc(SOCKADDR_IN6_BYTES);
  hostView(name).setUint16(0, AF_INET6, isLittle);
  name.writeUInt16BE(port, 2);
  name.set(addressBytes(address, 16), 8);
  hostView(name).setUint32(24, scopeId, isLittle);
  return name;
}

function addressBytes(address: string, length: number): Uint8Array {
  const ip = parseIp(address);
  if (!ip) throw new Error(`${JSON.stringify(address)} is not an IP address`);
  return Buffer.from(ip.value.toString(16).padStart(length * 2, '0'), 'hex');
}
