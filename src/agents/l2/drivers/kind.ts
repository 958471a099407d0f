import type { Logger } from 'pino';
import type { Config } from '../../../config/options.ts';
import type { InNamespace } from '../../../linux/ip.ts';
import type { MonitoredLink } from '../../../linux/link-monitor.ts';
import type { Link } from '../../../linux/links.ts';
import type { AgentState } from '../../../rpc/topics/reports.ts';
import type { L2Driver } from '../contract.ts';

/** The options that L2 drivers read. */
export type L2Config = Pick<Config, 'DEFAULT' | 'agent' | 'linux_bridge' | 'vxlan'>;

export interface L2DriverParts {
  readonly config: L2Config;
  /** The host's devices as currently known to the agent; events of recent changes MAY still be in transit. */
  readonly links: () => ReadonlyMap<string, MonitoredLink>;
  /** The namespace that is the host; none: that of this process. */
  readonly where: InNamespace;
  readonly log: Logger;
  /** Words of `ip link set BRIDGE type bridge ...` that the firewall needs on bridges before a port is plugged; default: none. */
  readonly bridgeOptions?: readonly string[];
}

/** A kind of L2 driver: how it is built, what the agent reports for it, and what the command line needs to know of it. */
export interface L2DriverKind {
  /** Value of `[agent] l2_driver`. */
  readonly name: string;
  /** Programs that it runs, with the Debian packages that contain them. */
  readonly programs: Readonly<Record<string, string>>;
  /** What the agent calls itself in reports; servers bind ports to hosts by its type and configurations. */
  readonly agent: Pick<AgentState, 'binary' | 'agent_type'>;
  /** The `agent_id` of calls to the server, as stock agents of this type form it. */
  agentId(host: string): string;
  configurations(config: L2Config): Readonly<Record<string, unknown>>;
  /** Throws when the configuration cannot be used. */
  create(parts: L2DriverParts): L2Driver;
  /** The text in the alias of each device that the agent of a host creates, by which a later process finds it. */
  mark(agent: { readonly host: string; readonly state_path: string }): string;
  /** The network that a driver of this kind created the device for; undefined for devices that none of them created. */
  networkOf(link: Pick<Link, 'name' | 'kind' | 'alias'>): string | undefined;
  /** Removes what drivers of this kind created for these networks, default: for all, and returns the devices' names. */
  removeDevices(where: InNamespace & { readonly networks?: ReadonlySet<string> }): Promise<readonly string[]>;
}
