import type { MonitoredLink } from '../../linux/link-monitor.ts';
import type { DeviceDetails } from '../../rpc/topics/plugin.ts';

/** What became of a device: wired to its network, cut off because its port is down, absent by now, or why it is not wired. */
export type WiringOutcome = 'plugged' | 'unplugged' | 'gone' | Error;

/**
 * Connects the devices of one host to their networks. Level-triggered: calls MUST be idempotent and MUST NOT touch what is
 * right already (the work of an earlier agent process is adopted). Calls never overlap.
 */
export interface L2Driver {
  /**
   * Wires each device, or cuts it off where `admin_state_up` is false, and returns an outcome for each. A device that cannot
   * be wired MUST NOT keep others from it. Wiring SHOULD NOT cost more processes for many devices than for one. Throws only when
   * nothing can be done for any of them; the agent then tries again.
   */
  wire(devices: readonly DeviceDetails[]): Promise<ReadonlyMap<string, WiringOutcome>>;
  /** Unplugs a device whose port was deleted, without removing the device itself. An absent device is not an error. */
  cutOff(device: string): Promise<void>;
  /** Whether a device is still as it was wired for `details`. Pure; called for every event of a device. */
  isWired(details: DeviceDetails, link: MonitoredLink): boolean;
  /** Ids of the networks for which this agent, or an earlier process of it, has created anything that is still there. */
  networks(): Promise<readonly string[]>;
  /** Whether a device is wired to the network. */
  inUse(networkId: string): Promise<boolean>;
  /** Removes what was created for the network. Returns false, and changes nothing, while a device is wired to it. */
  removeNetwork(networkId: string): Promise<boolean>;
  /** Called when a device of the host has disappeared, of a port or created by the driver. */
  vanished(device: string): void;
  /** MUST leave all devices unchanged. */
  close(): Promise<void>;
}
