import type { IpCommand } from '../../../../linux/ip.ts';
import type { Link } from '../../../../linux/links.ts';
import type { AgentDevice } from '../../device.ts';

/** What exists of an internal port. */
export interface ActualPort {
  /** Whether the bridge has a port that serves. */
  readonly usable: boolean;
  /** The device of this name on the host. */
  readonly outer: boolean;
  /** Devices of the namespace. */
  readonly inner: readonly Link[];
  /** Names of all ports of Open vSwitch. */
  readonly ports: ReadonlySet<string>;
}

/**
 * What to do. `keep`: the device is right except for `inside`. `move`: the port is right, and its device is on the host: it was
 * not moved yet, or ovs-vswitchd has restarted and created it again, and what the namespace has is dead. `replace`: the port must
 * be created again.
 */
export interface PortPlan {
  readonly step: 'keep' | 'move' | 'replace';
  readonly inside: readonly IpCommand[];
  /** Devices of earlier ports in the namespace, which are ports of Open vSwitch. */
  readonly stalePorts: readonly string[];
}

/** Names of devices that agents create in namespaces (`ns-`: Neutron's name of the inner end of a veth pair). */
const AGENT_DEVICE = /^(tap|ns-|qr-|qg-)/;

/** Returns the steps from the actual to the wanted state. */
export function planPort(
  { name, mac, mtu, siblings }: AgentDevice,
  { usable, outer, inner: devices, ports }: ActualPort,
): PortPlan {
  const stale = devices
    .filter((link) => link.name !== name && !siblings.includes(link.name) && AGENT_DEVICE.test(link.name))
    .map((link) => link.name);
  const stalePorts = stale.filter((one) => ports.has(one));
  // The kernel's internal ports cannot be deleted as devices; they go with their ports.
  const removeStale = stale.filter((one) => !ports.has(one)).map((one) => ['link', 'delete', 'dev', one]);
  const inner = devices.find((link) => link.name === name);
  // With another MAC the device would keep the IPv6 link-local address of the old one.
  if (!usable || (!outer && inner?.mac !== mac)) return { step: 'replace', inside: removeStale, stalePorts };
  if (outer) return { step: 'move', inside: removeStale, stalePorts };
  return {
    step: 'keep',
    inside: [
      ...removeStale,
      ...(inner?.mtu === mtu ? [] : [['link', 'set', 'dev', name, 'mtu', String(mtu)]]),
      ...(inner?.up ? [] : [['link', 'set', 'dev', name, 'up']]),
      ...(devices.some((link) => link.name === 'lo' && !link.up) ? [['link', 'set', 'dev', 'lo', 'up']] : []),
    ],
    stalePorts,
  };
}
