import { createHash } from 'node:crypto';

/** Longest name of a device: IFNAMSIZ without the closing zero. */
const MAX_NAME = 15;

/** A device that belongs to a port, as Nova, libvirt and DHCP agents name it. */
export const TAP_NAME = /^tap[0-9a-f]{8}-[0-9a-f]{2}$/;
/** The bridge of a network. */
export const BRIDGE_NAME = /^brq[0-9a-f]{8}-[0-9a-f]{2}$/;

/** Returns the name of a port's device (Neutron's TAP_DEVICE_PREFIX and the first 11 characters of the id). */
export function tapName(portId: string): string {
  return `tap${portId.slice(0, 11)}`;
}

/** Returns the name of a network's bridge (Neutron's BRIDGE_NAME_PREFIX and the first 11 characters of the id). */
export function bridgeName(networkId: string): string {
  return `brq${networkId.slice(0, 11)}`;
}

/** Returns the name of a network's VXLAN device, `vxlan-4379`. */
export function vxlanName(vni: number): string {
  return `vxlan-${vni}`;
}

/**
 * Returns the name of the VLAN device on a physical one, `eth1.100`. Where that is too long, the physical name is cut and six
 * digits of its SHA-1 follow, so that two long names with the same beginning differ.
 */
export function vlanName(physical: string, vid: number): string {
  const ending = `.${vid}`;
  if (physical.length + ending.length <= MAX_NAME) return checkDeviceName(`${physical}${ending}`);
  const hash = createHash('sha1').update(physical).digest('hex').slice(0, 6);
  return checkDeviceName(`${physical.slice(0, MAX_NAME - hash.length - ending.length)}${hash}${ending}`);
}

/** Throws unless the text can be a device's name: IFNAMSIZ leaves 15 bytes, and the kernel forbids `/`, `:` and white space. */
export function checkDeviceName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._@-]{0,14}$/.test(name)) {
    throw new Error(`device name ${JSON.stringify(name)}: 1 to 15 letters, digits, dots, hyphens and underscores`);
  }
  return name;
}

/** Returns the name of the namespace in which a network's DHCP is served. */
export function dhcpNamespace(networkId: string): string {
  return `qdhcp-${networkId}`;
}
