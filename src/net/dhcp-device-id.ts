import { uuid5 } from './uuid5.ts';

/** Namespace of host names for UUIDs of version 5 (RFC 9562, appendix C: NAMESPACE_DNS). */
const NAMESPACE_DNS = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

/** The `device_id` of a DHCP port that a server keeps for the next agent of its network. */
export const RESERVED_DHCP_PORT = 'reserved_dhcp_port';

/** Returns the UUID of version 5 of a host name. */
export const hostUuid = (name: string): string => uuid5(NAMESPACE_DNS, name);

/**
 * Returns the `device_id` of the DHCP port that the agent of a host has on a network. Servers and agents derive it alike, so that
 * both find the port again. As in Neutron, only the part of the host name before the first dot counts.
 */
export function dhcpDeviceId(host: string, networkId: string): string {
  return `dhcp${hostUuid(host.split('.', 1)[0] ?? host)}-${networkId}`;
}
