import { createHash } from 'node:crypto';
import { checkDeviceName } from '../../linux/ip.ts';

/** Longest name of a device: IFNAMSIZ without the closing zero. */
const MAX_NAME = 15;

/** A device that belongs to a port, as Nova, libvirt and DHCP agents name it. */
export const TAP_NAME = /^tap[0-9a-f]{8}-[0-9a-f]{2}$/;
/** The bridge of a network. */
export const BRIDGE_NAME = /^brq[0-9a-f]{8}-[0-9a-f]{2}$/;

/** Name of the device of a port (Neutron's TAP_DEVICE_PREFIX and the first 11 characters of the id). */
export function tapName(portId: string): string {
  return `tap${portId.slice(0, 11)}`;
}

/** Name of the bridge of a network (Neutron's BRIDGE_NAME_PREFIX and the first 11 characters of the id). */
export function bridgeName(networkId: string): string {
  return `brq${networkId.slice(0, 11)}`;
}

/** Name of the VXLAN device of a network, `vxlan-4379`. */
export function vxlanName(vni: number): string {
  return `vxlan-${vni}`;
}

/**
 * Name of the VLAN device on a physical one, `eth1.100`. Where that is too long, the physical name is cut and six digits of
 * its SHA-1 follow, so that two long names that begin alike stay apart.
 */
export function vlanName(physical: string, vid: number): string {
  const ending = `.${vid}`;
  if (physical.length + ending.length <= MAX_NAME) return checkDeviceName(`${physical}${ending}`);
  const hash = createHash('sha1').update(physical).digest('hex').slice(0, 6);
  return checkDeviceName(`${physical.slice(0, MAX_NAME - hash.length - ending.length)}${hash}${ending}`);
}

const MARK = 'neutrino:';

/** Short name of one agent: of its host's name and state path, so that two on one machine know their devices apart. */
export function agentMark(agent: { readonly host: string; readonly state_path: string }): string {
  return createHash('sha1').update(`${agent.host} ${agent.state_path}`).digest('hex').slice(0, 8);
}

/** Alias set on every device that an agent makes: for which network, and by which agent. It survives the agent. */
export function markOf(networkId: string, agent: string): string {
  return `${MARK}${networkId}@${agent}`;
}

/** The network that a marked device was made for; undefined for devices that Neutrino did not make. */
export function markedNetwork(alias: string | undefined): string | undefined {
  return alias?.startsWith(MARK) ? alias.slice(MARK.length).split('@', 1)[0] : undefined;
}

/**
 * What the L2 agent makes on a host, for taking it down: only devices of these kinds and names *and* with the mark are
 * Neutrino's. A stock agent's bridges have the same names but no mark. Taps are made by others and never removed.
 */
export const L2_OWNED_DEVICES: readonly { readonly kind: string; readonly name: RegExp }[] = [
  { kind: 'vxlan', name: /^vxlan-\d{1,8}$/ },
  { kind: 'vlan', name: /^.{1,13}\.\d{1,4}$/ },
  { kind: 'bridge', name: BRIDGE_NAME },
];
