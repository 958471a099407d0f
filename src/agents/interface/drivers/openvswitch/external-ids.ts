import type { AgentDevice } from '../../device.ts';
import type { SwitchPort } from './switch.ts';

/** Key in external_ids for the mark and the owner. The other keys are those by which the Open vSwitch agent knows ports. */
const OWNER = 'neutrino-owner';

/** Returns the external_ids of a device's interface. */
export function idsOf({ portId, mac, owner }: Pick<AgentDevice, 'portId' | 'mac' | 'owner'>, mark: string) {
  return { 'iface-id': portId, 'iface-status': 'active', 'attached-mac': mac, [OWNER]: `${mark}${owner}` };
}

/** Returns mark and owner of an interface that an agent of Neutrino has added. */
export const markOf = ({ ids }: Pick<SwitchPort, 'ids'>): string | undefined => ids[OWNER];

/** Returns the entry that changes the mark of an interface. */
export const markEntry = (mark: string): SwitchPort['ids'] => ({ [OWNER]: mark });

/**
 * Returns the names of ports that must go when a device is plugged: those of the same owner that are not its siblings, and others
 * that claim the same Neutron port, because the Open vSwitch agent would wire only one of them.
 */
export function conflictingPorts(
  ports: Iterable<SwitchPort>,
  { name, portId, owner, siblings }: AgentDevice,
  mark: string,
): readonly string[] {
  return [...ports].flatMap((port) => {
    if (port.name === name) return [];
    const isEarlier = markOf(port) === `${mark}${owner}` && !siblings.includes(port.name);
    return isEarlier || port.ids['iface-id'] === portId ? [port.name] : [];
  });
}

/** Returns whether an existing port serves for a device, whatever its marks say. */
export function isUsable(
  port: SwitchPort | undefined,
  wanted: Pick<SwitchPort, 'bridge' | 'type' | 'ids'>,
): port is SwitchPort {
  return (
    port !== undefined &&
    port.bridge === wanted.bridge &&
    port.type === wanted.type &&
    port.fault === undefined &&
    ['iface-id', 'attached-mac'].every((key) => port.ids[key] === wanted.ids[key])
  );
}

/** Returns the entries of external_ids that are not as wanted. */
export function differingIds(port: SwitchPort, wanted: SwitchPort['ids']): SwitchPort['ids'] {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => port.ids[key] !== value));
}
