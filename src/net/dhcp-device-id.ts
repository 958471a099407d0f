import { createHash } from 'node:crypto';

/** Namespace of host names for UUIDs of version 5 (RFC 9562, appendix C: NAMESPACE_DNS). */
const NAMESPACE_DNS = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');

/** The `device_id` of a DHCP port that a server keeps for the next agent of its network. */
export const RESERVED_DHCP_PORT = 'reserved_dhcp_port';

/** Returns the UUID of version 5 of a host name (RFC 9562, section 5.5). */
export function hostUuid(name: string): string {
  const bytes = createHash('sha1').update(NAMESPACE_DNS).update(name, 'utf8').digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * Returns the `device_id` of the DHCP port that the agent of a host has on a network. Servers and agents derive it alike, so that
 * both find the port again. As in Neutron, only the part of the host name before the first dot counts.
 */
export function dhcpDeviceId(host: string, networkId: string): string {
  return `dhcp${hostUuid(host.split('.', 1)[0] ?? host)}-${networkId}`;
}
