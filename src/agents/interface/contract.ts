import type { AgentDevice, InsideSetup, NamespaceState } from './device.ts';

/**
 * Creates and removes the devices of one agent. Level-triggered: calls MUST be idempotent and MUST NOT touch what is right
 * already. Calls for one owner never overlap; those for different owners MAY.
 */
export interface InterfaceDriver {
  /**
   * Brings device and namespace to the desired state, and runs what `configure` returns inside: for a new device always, for an
   * existing one when there are steps. MUST complete what a killed process left half done. Throws to be tried again.
   */
  plug(device: AgentDevice, configure: (there: NamespaceState) => InsideSetup): Promise<void>;
  /** Removes the namespace and the owner's devices. Absent ones are not an error. */
  unplug(owner: string, namespace: string): Promise<void>;
  /** Owners of which this agent, or an earlier process of it, has devices. */
  owners(): Promise<readonly string[]>;
  /** Calls back when a device has vanished that this process did not remove. */
  onLost(listener: (owner: string) => void): void;
  /** MUST leave all devices unchanged. */
  close(): Promise<void>;
}
