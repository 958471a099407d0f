import type { FilteredPort, SecurityGroup } from './groups.ts';

/**
 * Filters the traffic of the ports of one host. Level-triggered: calls MUST be idempotent, and a filter that is right MUST NOT
 * be interrupted (the filters of an earlier agent process are adopted). Calls never overlap.
 */
export interface Firewall {
  /**
   * Filters these ports by these groups; other ports keep their filters. Called before a device is wired. Returns the ports whose
   * filter does not hold, by device, with the reason: they are not wired, and MUST NOT keep others from it.
   */
  hold(ports: readonly FilteredPort[], groups: readonly SecurityGroup[]): Promise<ReadonlyMap<string, Error>>;
  /** Rules or members of a group have changed. SHOULD NOT cost more for many ports of the group than for one. */
  groupChanged(group: SecurityGroup): Promise<void>;
  /** Removes the filters of devices that were unplugged or have disappeared. Absent ones are not an error. */
  remove(devices: readonly string[]): Promise<void>;
  /** MUST leave every filter in place. */
  close(): Promise<void>;
}
