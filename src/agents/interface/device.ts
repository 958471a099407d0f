import type { DeviceAddress } from '../../linux/addresses.ts';
import type { IpCommand } from '../../linux/ip.ts';
import type { Route } from '../../linux/routes.ts';

/** An agent's own device on a network: one end is in a namespace, the other is on the host, where an L2 agent wires it. */
export interface AgentDevice {
  /** Name of both ends: `tap` and the first 11 characters of the port's id. */
  readonly name: string;
  readonly portId: string;
  /** What the agent serves with it, such as a network's id. It survives the process, as part of the device's mark. */
  readonly owner: string;
  readonly namespace: string;
  /** In lower case. */
  readonly mac: string;
  readonly mtu: number;
  /** The agent's other devices in the namespace. Devices of agents that are not among them are removed. */
  readonly siblings: readonly string[];
}

/** What is in a namespace before an agent configures it; nothing for a new device. */
export interface NamespaceState {
  /** Whether the device was up; a device that was down has lost its routes. */
  readonly up: boolean;
  /** The device's addresses. */
  readonly addresses: readonly DeviceAddress[];
  readonly routes: readonly Route[];
}

/** What an agent changes inside the namespace: `ip` commands, and kernel settings that are made with them. */
export interface InsideSetup {
  readonly steps: readonly IpCommand[];
  readonly settings: Readonly<Record<string, string | number>>;
}
