import { canonicalIp } from '../net/addresses.ts';
import { checkDeviceName } from '../net/device-names.ts';
import { type InNamespace, type IpCommand, ipQuery } from './ip.ts';

/** An address on a device. */
export interface DeviceAddress {
  readonly family: 4 | 6;
  /** Without prefix; IPv6 as the kernel writes it (RFC 5952). */
  readonly address: string;
  readonly prefixLength: number;
  readonly scope: string;
  /** Created by the kernel from a router advertisement, with a lifetime. */
  readonly dynamic: boolean;
}

interface AddressJson {
  family: string;
  local: string;
  prefixlen: number;
  scope: string;
  dynamic?: boolean;
}

/** Returns the addresses by device name in the answer of `ip -j addr show`. */
export function parseAddresses(json: unknown): ReadonlyMap<string, readonly DeviceAddress[]> {
  const devices = (json as { ifname?: string; addr_info?: AddressJson[] }[]).filter(
    (device) => device.ifname !== undefined,
  );
  return new Map(
    devices.map((device) => [
      device.ifname as string,
      (device.addr_info ?? [])
        .filter((entry) => entry.family === 'inet' || entry.family === 'inet6')
        .map((entry) => ({
          family: entry.family === 'inet6' ? (6 as const) : (4 as const),
          address: entry.local,
          prefixLength: entry.prefixlen,
          scope: entry.scope,
          dynamic: entry.dynamic === true,
        })),
    ]),
  );
}

/** Returns the addresses of one device. Throws IpFailed when the device does not exist. */
export async function listAddresses(device: string, where: InNamespace = {}): Promise<readonly DeviceAddress[]> {
  const [answer] = await ipQuery([['addr', 'show', 'dev', checkDeviceName(device)]], where);
  return parseAddresses(answer).get(device) ?? [];
}

/** Returns the address in the kernel's spelling (RFC 5952), for comparison. Throws if the text is not an address with a prefix. */
export function canonicalCidr(cidr: string): string {
  const [address = '', length = '', ...rest] = cidr.split('/');
  const canonical = canonicalIp(address);
  if (canonical === undefined || !/^\d{1,3}$/.test(length) || rest.length > 0)
    throw new Error(`${JSON.stringify(cidr)} is not an address with a prefix length`);
  return `${canonical}/${Number(length)}`;
}

/**
 * Returns the commands that change a device's addresses from `actual` to exactly `wanted` (`10.0.0.2/24`, `fd00::2/64`); none
 * when they are right. The IPv6 link-local address that the kernel derives from the MAC (a /64) stays. Deletions come before
 * additions: without `promote_secondaries` the kernel deletes the later addresses of a subnet with the first. The kernel may
 * also delete routes that depend on a deleted address.
 */
export function planAddresses(
  device: string,
  actual: readonly DeviceAddress[],
  wanted: readonly string[],
): readonly IpCommand[] {
  const want = new Set(wanted.map(canonicalCidr));
  const have = new Map(actual.map((entry) => [canonicalCidr(`${entry.address}/${entry.prefixLength}`), entry]));
  const removed = [...have].filter(([key, entry]) => !want.has(key) && !isKernelLinkLocal(entry));
  const added = [...want].filter((key) => !have.has(key));
  return [
    // Backwards: the kernel lists the first address of a subnet before those that would be deleted with it.
    ...removed.reverse().map(([key]) => ['addr', 'del', key, 'dev', device]),
    // nodad: the server allocates these addresses; duplicate detection would keep them unusable for a second.
    ...added.map((key) => [
      'addr',
      'add',
      key,
      ...(key.includes(':') ? ['dev', device, 'nodad'] : ['brd', '+', 'dev', device]),
    ]),
  ];
}

function isKernelLinkLocal(entry: DeviceAddress): boolean {
  return entry.family === 6 && entry.scope === 'link' && entry.prefixLength === 64;
}
