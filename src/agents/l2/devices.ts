import type { MonitoredLink } from '../../linux/link-monitor.ts';
import type { DeviceDetails } from '../../rpc/topics/plugin.ts';
import { isPlugged } from './bridge.ts';
import { bridgeName, TAP_NAME } from './names.ts';
import type { DeviceState } from './reports.ts';

/** A device of a port that is on the host. One that comes back under its name is another. */
export interface Device {
  readonly index: number;
  /** As it was wired last. */
  details?: DeviceDetails;
  /** What the server was told of it. */
  told?: DeviceState;
  /** Why it is not wired, as logged. */
  problem?: string;
}

/** Whether a device is as it was wired last; true for one that was not wired. */
export function isAsWired({ details }: Device, link: MonitoredLink): boolean {
  if (!details?.network_id || details.mtu === undefined) return true;
  if (details.admin_state_up === false) return link.master === undefined && !link.up;
  return isPlugged(link, bridgeName(details.network_id), details.mtu);
}

/**
 * What differs between the devices known before a list was taken and the list. Those that came to be known since are not in
 * it, and are left out here.
 */
export function compareWithHost(
  before: ReadonlyMap<string, Device>,
  known: ReadonlyMap<string, Device>,
  links: readonly MonitoredLink[],
): {
  readonly vanished: readonly string[];
  readonly appeared: readonly MonitoredLink[];
  readonly changed: readonly string[];
} {
  const taps = new Map(links.filter(({ name }) => TAP_NAME.test(name)).map((link) => [link.name, link]));
  const vanished = [...before].filter(
    ([name, device]) => known.get(name) === device && taps.get(name)?.index !== device.index,
  );
  return {
    vanished: vanished.map(([name]) => name),
    appeared: [...taps.values()].filter(({ name, index }) => {
      const device = known.get(name);
      return !device || (device.index !== index && before.get(name) === device);
    }),
    changed: [...taps.values()].flatMap((link) => {
      const device = known.get(link.name);
      return device?.index === link.index && !isAsWired(device, link) ? [link.name] : [];
    }),
  };
}
