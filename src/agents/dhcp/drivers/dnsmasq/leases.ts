import { addressKey } from './holders.ts';
import type { Entitlement } from './port-lines.ts';

/** A lease as stored by dnsmasq (read_leases and lease_update_file in its lease.c). */
export interface Lease {
  readonly version: 4 | 6;
  readonly address: string;
  /** MAC address (IPv4), or the identity association's id (IPv6). */
  readonly hardware: string;
  /** Client id or DUID, hexadecimal bytes with colons; undefined if the client sent none. */
  readonly clientId: string | undefined;
  /** The line itself. */
  readonly line: string;
}

/**
 * Parses a lease file: `expiry MAC address hostname client-id`, then after a line `duid ...` the DHCPv6 leases as
 * `expiry IAID address hostname client-DUID`. Other lines are ignored.
 */
export function parseLeases(text: string): readonly Lease[] {
  return text.split('\n').flatMap((line): Lease[] => {
    const [expiry = '', hardware = '', address = '', , clientId] = line.split(' ');
    if (!/^\d+$/.test(expiry) || address === '') return [];
    return [
      {
        version: address.includes(':') ? 6 : 4,
        address,
        hardware: hardware.toLowerCase(),
        clientId: clientId === undefined || clientId === '*' ? undefined : clientId.toLowerCase(),
        line,
      },
    ];
  });
}

/**
 * Returns the bytes of a client id as dnsmasq reads it in a dhcp-host line: hexadecimal with colons, otherwise the text itself.
 */
function clientIdBytes(id: string): string {
  if (/^[0-9a-f]{1,2}(:[0-9a-f]{1,2})*$/i.test(id)) {
    return id
      .toLowerCase()
      .split(':')
      .map((byte) => byte.padStart(2, '0'))
      .join(':');
  }
  return Buffer.from(id)
    .toString('hex')
    .replaceAll(/..(?=.)/g, '$&:');
}

/**
 * Returns the stale leases: no port has the address, or another port has it. Until such a lease expires, dnsmasq would not offer
 * the address to anyone else, or would even renew the lease.
 *
 * @param movedIpv6 IPv6 addresses that moved from one MAC to another; a DHCPv6 lease does not contain the MAC.
 */
export function staleLeases(
  leases: readonly Lease[],
  holderOf: (address: string) => Entitlement | undefined,
  movedIpv6: ReadonlySet<string> = new Set(),
): readonly Lease[] {
  return leases.filter(({ version, address, hardware, clientId }) => {
    const holder = holderOf(address);
    if (!holder) return true;
    if (version === 6) return movedIpv6.has(address);
    if (holder.mac === hardware) return false;
    // dnsmasq also identifies a host by its client id, and some clients prepend a zero byte to theirs.
    const wanted = holder.clientId === undefined ? undefined : clientIdBytes(holder.clientId);
    return wanted === undefined || (clientId !== wanted && clientId !== `00:${wanted}`);
  });
}

/** Returns IPv6 addresses by MAC from a `host` file. */
function ipv6Holders(host: string): Map<string, string> {
  const holders = new Map<string, string>();
  for (const line of host.split('\n')) {
    for (const [, address = ''] of line.matchAll(/,\[([0-9a-f:.]+)\]/gi))
      holders.set(addressKey(address), line.slice(0, 17));
  }
  return holders;
}

/** Returns the IPv6 addresses that belong to different MACs in the new and the old `host` file. */
export function movedIpv6(before: string, after: string): ReadonlySet<string> {
  if (!before.includes('[')) return new Set();
  const now = ipv6Holders(after);
  return new Set(
    [...ipv6Holders(before)].flatMap(([address, mac]) => ((now.get(address) ?? mac) !== mac ? [address] : [])),
  );
}

/** Returns a lease file without the stale leases; everything else is unchanged. */
export function withoutLeases(text: string, stale: readonly Lease[]): string {
  const gone = new Set(stale.map(({ line }) => line));
  return text
    .split('\n')
    .filter((line) => !gone.has(line))
    .join('\n');
}
