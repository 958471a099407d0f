import { type InNamespace, type IpCommand, ipBatchAll, isNotFound } from '../../../../linux/ip.ts';
import type { MonitoredLink } from '../../../../linux/link-monitor.ts';
import { type Link, listLinks, showLink } from '../../../../linux/links.ts';
import { BRIDGE_NAME, bridgeName } from '../../../../net/device-names.ts';
import { UUID } from '../../../../net/patterns.ts';
import type { DeviceDetails } from '../../../../rpc/topics/plugin.ts';
import type { L2Driver, WiringOutcome } from '../../contract.ts';
import { isCutOff, isPlugged, plug, unplug } from './bridge.ts';
import { Bridges } from './bridges.ts';
import { markedNetwork, markOf } from './marks.ts';
import { CannotWire, type HostSegments, type Uplink, uplinkOf } from './segment.ts';
import { disableIpv6, runSteps, type WiringStep } from './steps.ts';
import { joinOtherHosts } from './uplink.ts';

interface LinuxBridgeParts {
  readonly links: () => ReadonlyMap<string, MonitoredLink>;
  readonly segments: HostSegments;
  /** The agent's part of the aliases of its devices. */
  readonly mark: string;
  readonly where: InNamespace;
  readonly bridgeOptions: readonly string[];
}

/** A network with devices to plug. */
interface Group {
  readonly networkId: string;
  readonly bridge: string;
  readonly mtu: number;
  readonly uplink: Uplink | undefined;
  readonly devices: string[];
}

/**
 * One bridge for each network, with the devices of its ports and an uplink to other hosts. Wires many devices in one `ip`
 * process, and touches only what differs from the links that the agent knows.
 */
export class LinuxBridgeDriver implements L2Driver {
  readonly #parts: LinuxBridgeParts;
  readonly #bridges: Bridges;

  constructor(parts: LinuxBridgeParts) {
    this.#parts = parts;
    this.#bridges = new Bridges(parts.links, parts.mark, parts.bridgeOptions);
  }

  async wire(wanted: readonly DeviceDetails[]): Promise<ReadonlyMap<string, WiringOutcome>> {
    const outcomes = new Map<string, WiringOutcome>();
    const groups = new Map<string, Group>();
    const cutOff: string[] = [];
    for (const details of wanted) {
      try {
        if (details.admin_state_up === false) cutOff.push(details.device);
        else this.#group(groups, details).devices.push(details.device);
      } catch (error) {
        outcomes.set(details.device, error as Error);
      }
    }
    for (const { devices, uplink, ...network } of groups.values()) {
      try {
        // Before anything is plugged, because a port without uplink would be up but isolated.
        if (uplink) await joinOtherHosts({ ...network, uplink }, { ...this.#parts, bridges: this.#bridges });
      } catch (error) {
        for (const device of devices.splice(0)) outcomes.set(device, error as Error);
      }
    }
    await this.#plugAll([...groups.values()], cutOff, outcomes);
    return outcomes;
  }

  async cutOff(device: string): Promise<void> {
    const link = this.#parts.links().get(device);
    if (link) await runSteps(unplug(link), this.#parts.where);
  }

  isWired({ admin_state_up, network_id, mtu }: DeviceDetails, link: MonitoredLink): boolean {
    if (!network_id || mtu === undefined) return true;
    return admin_state_up === false ? isCutOff(link) : isPlugged(link, bridgeName(network_id), mtu);
  }

  async networks(): Promise<readonly string[]> {
    const bridges = await listLinks({ ...this.#parts.where, kind: 'bridge' });
    return bridges.flatMap(({ name, alias }) => {
      const networkId = markedNetwork(alias);
      // Another agent's server may well know a network that ours does not.
      const own = networkId !== undefined && alias === markOf(networkId, this.#parts.mark);
      return own && bridgeName(networkId) === name ? [networkId] : [];
    });
  }

  async inUse(networkId: string): Promise<boolean> {
    try {
      return ((await this.#portsOf(bridgeName(networkId))) ?? []).some((port) => !this.#isUplink(port));
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async removeNetwork(networkId: string): Promise<boolean> {
    const bridge = bridgeName(networkId);
    // No bridge can be named after such an id.
    if (!BRIDGE_NAME.test(bridge)) return true;
    const ports = await this.#portsOf(bridge);
    if (!ports) return true;
    if (ports.some((port) => !this.#isUplink(port))) return false;
    const failures = await ipBatchAll(
      [
        ...ports.map((port) =>
          port.kind === 'vlan' || port.kind === 'vxlan'
            ? ['link', 'delete', 'dev', port.name]
            : ['link', 'set', 'dev', port.name, 'nomaster'],
        ),
        ['link', 'delete', 'dev', bridge],
      ],
      this.#parts.where,
    );
    const failure = failures.find((failed) => !isNotFound(failed));
    if (failure) throw failure;
    this.#bridges.forget(bridge);
    return true;
  }

  vanished(device: string): void {
    this.#bridges.forget(device);
  }

  async close(): Promise<void> {
    // Nothing is held open.
  }

  /** Returns the devices plugged into a bridge, including its uplink; undefined if the bridge does not exist. */
  async #portsOf(bridge: string): Promise<readonly Link[] | undefined> {
    const { where } = this.#parts;
    if ((await showLink(bridge, where)) === undefined) return undefined;
    return listLinks({ ...where, master: bridge });
  }

  #isUplink(link: Link): boolean {
    const { physical } = this.#parts.segments;
    return link.kind === 'vlan' || link.kind === 'vxlan' || [...physical.values()].includes(link.name);
  }

  #group(groups: Map<string, Group>, details: DeviceDetails): Group {
    const { networkId, mtu } = checkNetwork(details);
    let group = groups.get(networkId);
    if (!group) {
      const uplink = uplinkOf(details, this.#parts.segments);
      group = { networkId, mtu, bridge: bridgeName(networkId), uplink, devices: [] };
      groups.set(networkId, group);
    }
    return group;
  }

  async #plugAll(
    groups: readonly Group[],
    cutOff: readonly string[],
    outcomes: Map<string, WiringOutcome>,
  ): Promise<void> {
    const { where } = this.#parts;
    const links = this.#parts.links();
    const steps: WiringStep[] = [];
    const created: string[] = [];
    /** Devices that a failed command stands for. */
    const concerned = new Map<IpCommand, readonly string[]>();
    const add = (more: readonly WiringStep[], devices: readonly string[]): void => {
      for (const step of more) {
        steps.push(step);
        concerned.set(step.command, devices);
      }
    };
    const goals = [
      ...groups.flatMap(({ devices }) => devices.map((device) => [device, 'plugged'] as const)),
      ...cutOff.map((device) => [device, 'unplugged'] as const),
    ];
    for (const [device, goal] of goals) outcomes.set(device, links.has(device) ? goal : 'gone');

    for (const { bridge, networkId, mtu, devices } of groups) {
      if (devices.length === 0) continue;
      const brought = this.#bridges.bring(networkId, mtu);
      created.push(...brought.created);
      add(brought.steps, devices);
      for (const device of devices) {
        const link = links.get(device);
        if (link) add(plug(link, bridge, mtu), [device]);
      }
    }
    for (const device of cutOff) {
      const link = links.get(device);
      if (link) add(unplug(link), [device]);
    }
    // Before they are plugged, because a machine must not receive router solicitations from the host's end of its device.
    const fresh = groups.flatMap(({ devices }) => devices).filter((name) => links.get(name)?.master === undefined);
    await disableIpv6(fresh, where);
    const failures = await runSteps(steps, where);
    await disableIpv6(created, where);
    for (const failure of failures) {
      for (const device of concerned.get(failure.step) ?? []) {
        // `ip` quotes the missing device; for a missing bridge, the error is the same with the bridge's name.
        outcomes.set(device, isNotFound(failure) && failure.reason.includes(`"${device}"`) ? 'gone' : failure);
      }
    }
    for (const { bridge, devices } of groups) {
      if (devices.some((device) => outcomes.get(device) instanceof Error)) this.#bridges.forget(bridge);
    }
  }
}

/** Returns the network's id and MTU, which become words of a command. Throws CannotWire for any other text. */
function checkNetwork({ network_id: networkId = '', mtu }: DeviceDetails): { networkId: string; mtu: number } {
  if (!UUID.test(networkId)) {
    throw new CannotWire(`network id ${JSON.stringify(networkId)}: want a UUID in lower case`);
  }
  if (typeof mtu !== 'number' || !Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) {
    throw new CannotWire(`MTU ${JSON.stringify(mtu ?? null)} of network ${networkId}: want 68 to 65535`);
  }
  return { networkId, mtu };
}
