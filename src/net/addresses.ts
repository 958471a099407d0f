import { isIPv4, isIPv6 } from 'node:net';

/** An IP address as a number, with its version. */
export interface Ip {
  readonly version: 4 | 6;
  readonly value: bigint;
}

/** A network prefix: the address as written (host bits kept) and its length. */
export interface Cidr {
  readonly version: 4 | 6;
  /** First address of the network (host bits cleared). */
  readonly first: bigint;
  /** Last address of the network. */
  readonly last: bigint;
  readonly prefixLength: number;
  /** Whether the address as written had bits set behind the prefix. */
  readonly hostBits: boolean;
}

/** Returns the number of bits in an address of this version. */
export const addressBits = (version: 4 | 6): number => (version === 4 ? 32 : 128);

function parseIpv4(text: string): bigint {
  let value = 0n;
  for (const part of text.split('.')) value = (value << 8n) | BigInt(Number(part));
  return value;
}

function parseIpv6(text: string): bigint {
  let source = text;
  const lastColon = source.lastIndexOf(':');
  const dotted = source.slice(lastColon + 1);
  if (dotted.includes('.')) {
    const v4 = parseIpv4(dotted);
    source = `${source.slice(0, lastColon + 1)}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  }
  const [head = '', tail] = source.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? [] : new Array<string>(8 - front.length - back.length).fill('0');
  let value = 0n;
  for (const group of [...front, ...middle, ...back]) value = (value << 16n) | BigInt(`0x${group}`);
  return value;
}

/** Parses an address (RFC 4291; dotted quads without leading zeros); returns undefined for anything else. */
export function parseIp(text: string): Ip | undefined {
  if (isIPv4(text)) return /(^|\.)0\d/.test(text) ? undefined : { version: 4, value: parseIpv4(text) };
  // Addresses with a zone id (fe80::1%eth0) are not valid for ports and subnets.
  if (isIPv6(text) && !text.includes('%')) return { version: 6, value: parseIpv6(text) };
  return undefined;
}

function formatIpv6(value: bigint): string {
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn));
  let bestStart = -1;
  let bestLength = 1; // RFC 5952, 4.2.2: a single zero group is not shortened
  for (let i = 0; i < 8; ) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > bestLength) {
      bestStart = i;
      bestLength = j - i;
    }
    i = j > i ? j : i + 1;
  }
  const hex = (part: number[]) => part.map((g) => g.toString(16)).join(':');
  if (bestStart < 0) return hex(groups);
  return `${hex(groups.slice(0, bestStart))}::${hex(groups.slice(bestStart + bestLength))}`;
}

/** Returns the canonical text of an address (RFC 5952 for IPv6). */
export function formatIp(version: 4 | 6, value: bigint): string {
  if (version === 6) return formatIpv6(value);
  const n = Number(value);
  return `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
}

/** Returns the canonical form of an address in text; undefined for anything else. */
export function canonicalIp(text: string): string | undefined {
  const ip = parseIp(text);
  return ip && formatIp(ip.version, ip.value);
}

/** Parses `address/length`; returns undefined for anything else. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (!ip || !/^\d{1,3}$/.test(lengthText)) return undefined;
  const prefixLength = Number(lengthText);
  const bits = addressBits(ip.version);
  if (prefixLength > bits) return undefined;
  const hostMask = (1n << BigInt(bits - prefixLength)) - 1n;
  const first = ip.value & ~hostMask;
  return { version: ip.version, first, last: first | hostMask, prefixLength, hostBits: first !== ip.value };
}

/** Returns the canonical text of a prefix, host bits cleared. */
export const formatCidr = (cidr: Cidr): string => `${formatIp(cidr.version, cidr.first)}/${cidr.prefixLength}`;

/** Returns whether a prefix contains an address. */
export const cidrContains = (cidr: Cidr, ip: Ip): boolean =>
  ip.version === cidr.version && ip.value >= cidr.first && ip.value <= cidr.last;

/** Returns whether two prefixes overlap. */
export const cidrsOverlap = (a: Cidr, b: Cidr): boolean =>
  a.version === b.version && a.first <= b.last && b.first <= a.last;

/** Returns an address as fixed-width hex, which the database sorts and compares as a number. */
export const addressKey = (version: 4 | 6, value: bigint): string =>
  value.toString(16).padStart(version === 4 ? 8 : 32, '0');

/** Returns the address that a MAC has in a /64 prefix (modified EUI-64, RFC 4291 appendix A). */
export function eui64Address(prefixFirst: bigint, mac: string): bigint {
  const b = mac.split(':').map((x) => BigInt(`0x${x}`));
  const [b0 = 0n, b1 = 0n, b2 = 0n, b3 = 0n, b4 = 0n, b5 = 0n] = b;
  const upper = ((b0 ^ 2n) << 56n) | (b1 << 48n) | (b2 << 40n) | (0xffn << 32n);
  return prefixFirst | upper | (0xfen << 24n) | (b3 << 16n) | (b4 << 8n) | b5;
}

/** Returns the MAC from which the interface identifier of an IPv6 address was formed (modified EUI-64); undefined if from none. */
export function eui64Mac(address: bigint): string | undefined {
  if (((address >> 24n) & 0xffffn) !== 0xfffen) return undefined;
  const upper = ((address >> 40n) & 0xffffffn) ^ 0x020000n;
  const mac = (upper << 24n) | (address & 0xffffffn);
  return mac
    .toString(16)
    .padStart(12, '0')
    .replace(/..(?=.)/g, '$&:');
}

/** Returns whether an address is link-local (RFC 4291, 2.5.6: fe80::/10). */
export const isLinkLocal = ({ version, value }: Ip): boolean => version === 6 && value >> 118n === 0x3fan;

/** Returns the IPv4 address in an IPv4-mapped one (RFC 4291, 2.5.5.2: ::ffff:0:0/96); other addresses unchanged. */
export const unmapped = ({ version, value }: Ip): Ip =>
  version === 6 && value >> 32n === 0xffffn ? { version: 4, value: value & 0xffffffffn } : { version, value };
