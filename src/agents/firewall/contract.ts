import type { FilterChange } from './groups.ts';

/**
 * Filters the traffic of the ports of one host. Level-triggered: calls MUST be idempotent, and a filter that is right MUST NOT
 * be interrupted (the filters of an earlier agent process are adopted). Calls never overlap.
 */
export interface Firewall {
  /** Words of `ip link set BRIDGE type bridge ...` for bridges of filtered ports, which L2 drivers set before they plug a port. */
  readonly bridgeOptions: readonly string[];
  /** Whether it filters by groups, so that their rules and members must be requested for it. */
  readonly filters: boolean;
  /**
   * Filters these ports by their groups; what the change does not name is unchanged. Every group of its ports, and every group that
   * rules name, is known by then. Called before a device is wired. Returns the ports whose filter does not hold, by device, with the
   * reason: they are not wired, and MUST NOT keep others from it. A change of a group or its members MUST NOT cost more for many
   * ports than for one.
   */
  hold(change: FilterChange): Promise<ReadonlyMap<string, Error>>;
  /** Removes the filters of devices that were unplugged or have disappeared. Absent ones are not an error. */
  remove(devices: readonly string[]): Promise<void>;
  /** Compares the filters with what they should be and repairs them; returns whether that was necessary. */
  check(): Promise<boolean>;
  /** MUST leave every filter in place. */
  close(): Promise<void>;
}
