import type { MonitoredLink } from '../../linux/link-monitor.ts';
import { TAP_NAME } from '../../net/device-names.ts';
import type { DeviceDetails } from '../../rpc/topics/plugin.ts';
import type { L2Driver } from './contract.ts';
import type { DeviceState } from './reports.ts';

/** A port's device on the host. A device that reappears with the same name is a different one. */
export interface Device {
  readonly index: number;
  /** Name of its port, if a notification contained it. */
  portName?: string;
  /** As it was wired last. */
  details?: DeviceDetails;
  /** The state last reported to the server. */
  reported?: DeviceState;
  /** Why it is not wired, as logged. */
  problem?: string;
}

/** Whether a device is as it was wired last; true for one that was not wired. */
export function isAsWired({ details }: Device, link: MonitoredLink, driver: Pick<L2Driver, 'isWired'>): boolean {
  return details === undefined || driver.isWired(details, link);
}

/**
 * Returns what differs between the devices known before a list was taken and the list. Devices that became known afterwards are not
 * in it, and are left out here.
 */
export function compareWithHost(
  before: ReadonlyMap<string, Device>,
  known: ReadonlyMap<string, Device>,
  links: readonly MonitoredLink[],
  driver: Pick<L2Driver, 'isWired'>,
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
      return device?.index === link.index && !isAsWired(device, link, driver) ? [link.name] : [];
    }),
  };
}
