import { listAddresses, parseAddresses } from '../../linux/addresses.ts';
import {
  type InNamespace,
  type IpCommand,
  type IpFailed,
  ipBatchAll,
  ipQuery,
  isAlreadyThere,
  isNotFound,
} from '../../linux/ip.ts';
import type { MonitoredLink } from '../../linux/link-monitor.ts';
import { type Link, listLinks, showLink } from '../../linux/links.ts';
import { setSysctls } from '../../linux/sysctl.ts';
import type { DeviceDetails } from '../../rpc/topics/plugin.ts';
import { adjustBridge, makeBridge, plug, unplug, type WiringStep } from './bridge.ts';
import { bridgeName, markOf } from './names.ts';
import { addUplinkCommands, CannotWire, type HostSegments, type Uplink, uplinkOf } from './segment.ts';

/** What became of a device: in its bridge, cut off as wanted, vanished meanwhile, or why not. */
export type Outcome = 'plugged' | 'unplugged' | 'gone' | Error;

/** A network with devices to plug. */
interface Group {
  readonly networkId: string;
  readonly bridge: string;
  readonly mtu: number;
  readonly uplink: Uplink | undefined;
  readonly devices: string[];
}

/**
 * Brings bridges, uplinks and devices of one host to the wanted state, many at a time in one `ip` process. Knows what is there
 * from `links` and touches only what differs. Calls MUST NOT overlap.
 */
export class Wiring {
  readonly #links: () => ReadonlyMap<string, MonitoredLink>;
  readonly #segments: HostSegments;
  readonly #mark: string;
  readonly #where: InNamespace;
  /** Bridges seen to by this process, and the MTU they got: the monitor's news of them may still be on its way. */
  readonly #bridges = new Map<string, number>();

  /** `mark`: which agent made a device, for its alias. */
  constructor(
    links: () => ReadonlyMap<string, MonitoredLink>,
    segments: HostSegments,
    mark: string,
    where: InNamespace,
  ) {
    this.#links = links;
    this.#segments = segments;
    this.#mark = mark;
    this.#where = where;
  }

  /** A bridge has vanished. */
  forget(bridge: string): void {
    this.#bridges.delete(bridge);
  }

  /** Plugs or cuts off devices as their details say; gives what became of each. */
  async wire(wanted: readonly DeviceDetails[]): Promise<ReadonlyMap<string, Outcome>> {
    const outcomes = new Map<string, Outcome>();
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
    for (const group of groups.values()) {
      try {
        await this.#joinOtherHosts(group);
      } catch (error) {
        for (const device of group.devices.splice(0)) outcomes.set(device, error as Error);
      }
    }
    await this.#plugAll([...groups.values()], cutOff, outcomes);
    return outcomes;
  }

  /** Cuts off a device whose port is gone. */
  async cutOff(device: string): Promise<void> {
    const link = this.#links().get(device);
    if (link) await this.#run(unplug(link));
  }

  /**
   * Removes the bridge of a network and its uplink. Resolves to false, and does nothing, while a device is plugged into it;
   * to true when it is gone (or was never there).
   */
  async removeNetwork(networkId: string): Promise<boolean> {
    const bridge = bridgeName(networkId);
    const ports = await this.ports(bridge);
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
      this.#where,
    );
    const failure = failures.find((failed) => !isNotFound(failed));
    if (failure) throw failure;
    this.#bridges.delete(bridge);
    return true;
  }

  /** Devices plugged into a bridge, its uplink included; undefined when there is no such bridge. */
  async ports(bridge: string): Promise<readonly Link[] | undefined> {
    if ((await showLink(bridge, this.#where)) === undefined) return undefined;
    return listLinks({ ...this.#where, master: bridge });
  }

  /** Whether devices of machines are on the bridge. False when there is no such bridge. */
  async inUse(bridge: string): Promise<boolean> {
    return ((await this.ports(bridge)) ?? []).some((port) => !this.#isUplink(port));
  }

  #isUplink(link: Link): boolean {
    return link.kind === 'vlan' || link.kind === 'vxlan' || [...this.#segments.physical.values()].includes(link.name);
  }

  #group(groups: Map<string, Group>, details: DeviceDetails): Group {
    const { networkId, mtu } = checkNetwork(details);
    let group = groups.get(networkId);
    if (!group) {
      group = { networkId, mtu, bridge: bridgeName(networkId), uplink: uplinkOf(details, this.#segments), devices: [] };
      groups.set(networkId, group);
    }
    return group;
  }

  async #plugAll(groups: readonly Group[], cutOff: readonly string[], outcomes: Map<string, Outcome>): Promise<void> {
    const links = this.#links();
    const steps: WiringStep[] = [];
    const made: string[] = [];
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
      add(this.#bridgeSteps(bridge, networkId, mtu, made), devices);
      for (const device of devices) {
        const link = links.get(device);
        if (link) add(plug(link, bridge, mtu), [device]);
      }
    }
    for (const device of cutOff) {
      const link = links.get(device);
      if (link) add(unplug(link), [device]);
    }
    // Before they are plugged: a machine must not hear the host's end of its own cable solicit routers.
    await this.#withoutIpv6(
      groups.flatMap(({ devices }) => devices).filter((device) => links.get(device)?.master === undefined),
    );
    const failures = await this.#run(steps);
    await this.#withoutIpv6(made);
    for (const failure of failures) {
      for (const device of concerned.get(failure.step) ?? []) {
        // `ip` quotes the device that it misses; of a missing bridge it says the same with the bridge's name.
        outcomes.set(device, isNotFound(failure) && failure.reason.includes(`"${device}"`) ? 'gone' : failure);
      }
    }
    for (const { bridge, devices } of groups) {
      if (devices.some((device) => outcomes.get(device) instanceof Error)) this.#bridges.delete(bridge);
    }
  }

  #bridgeSteps(bridge: string, networkId: string, mtu: number, made: string[]): readonly WiringStep[] {
    const seen = this.#bridges.get(bridge);
    if (seen === mtu) return [];
    this.#bridges.set(bridge, mtu);
    const there = this.#links().get(bridge);
    if (there) return adjustBridge(there, mtu, seen === undefined);
    if (seen === undefined) made.push(bridge);
    return makeBridge(bridge, markOf(networkId, this.#mark), mtu);
  }

  /** Runs steps; gives the failures that count: a thing that is there already, and what is optional, do not. */
  async #run(steps: readonly WiringStep[]): Promise<readonly IpFailed[]> {
    const optional = new Set(steps.filter((step) => step.optional).map((step) => step.command));
    const failures = await ipBatchAll(
      steps.map((step) => step.command),
      this.#where,
    );
    return failures.filter((failure) => !optional.has(failure.step) && !isAlreadyThere(failure));
  }

  /** The host itself has no business on a network of guests: no router advertisement of theirs may configure it. */
  async #withoutIpv6(devices: readonly string[]): Promise<void> {
    const keys = devices.map((device) => [`net/ipv6/conf/${device}/disable_ipv6`, 1]);
    // A kernel without IPv6 has no such keys, nor has a device that has vanished.
    await setSysctls(Object.fromEntries(keys), this.#where).catch(() => undefined);
  }

  /** Sees to the uplink of a network before anything is plugged: a port without it would be up and reach nobody. */
  async #joinOtherHosts({ uplink, bridge, networkId, mtu }: Group): Promise<void> {
    if (!uplink || this.#links().get(uplink.device)?.master === bridge) return;
    const below = await this.#checkUplink(uplink, bridge);
    const made: string[] = [];
    const joinSteps: readonly WiringStep[] = [
      ...(uplink.kind === 'vlan' ? [{ command: ['link', 'set', 'dev', uplink.parent, 'up'] }] : []),
      ...this.#bridgeSteps(bridge, networkId, mtu, made),
      ...(this.#links().has(uplink.device)
        ? []
        : addUplinkCommands(uplink, markOf(networkId, this.#mark), below).map((command) => ({ command }))),
      ...(uplink.kind === 'flat' ? [] : [{ command: ['link', 'set', 'dev', uplink.device, 'mtu', String(mtu)] }]),
      { command: ['link', 'set', 'dev', uplink.device, 'master', bridge, 'up'] },
    ];
    const [failure] = await this.#run(joinSteps);
    await this.#withoutIpv6(made);
    if (!failure) return;
    this.#bridges.delete(bridge);
    if (uplink.kind === 'vlan' && /Unknown device type|Operation not supported/.test(failure.reason)) {
      const { vid, parent } = uplink;
      throw new CannotWire(
        `VLAN ${vid} on ${parent}: this kernel has no 802.1Q support (module 8021q): ${failure.reason}`,
      );
    }
    throw failure;
  }

  /** Refuses uplinks that would not work, or would cut off the host; gives the device that VXLAN packets leave by. */
  async #checkUplink(uplink: Uplink, bridge: string): Promise<string | undefined> {
    if (uplink.kind === 'vxlan') {
      const [answer] = await ipQuery([['addr', 'show', 'to', uplink.localIp]], this.#where);
      const holder = [...parseAddresses(answer)].find(([, addresses]) => addresses.length > 0)?.[0];
      if (!holder) throw new CannotWire(`[vxlan] local_ip ${uplink.localIp}: no device of this host has this address`);
      return holder;
    }
    const physical = uplink.kind === 'vlan' ? uplink.parent : uplink.device;
    const link = this.#links().get(physical);
    if (!link)
      throw new CannotWire(`[linux_bridge] physical_interface_mappings names ${physical}, which this host lacks`);
    if (uplink.kind === 'vlan') return undefined;
    if (link.master !== undefined && link.master !== bridge) {
      throw new CannotWire(`${physical} is plugged into ${link.master} already; a flat network needs it for itself`);
    }
    const own = (await listAddresses(physical, this.#where)).filter((address) => address.scope !== 'link');
    if (own.length > 0) {
      const addresses = own.map((address) => address.address).join(', ');
      throw new CannotWire(
        `${physical} has addresses of the host (${addresses}), which would be cut off in a bridge; a flat network needs a device without`,
      );
    }
    return undefined;
  }
}

/** The network's id and MTU. They become words of a command: throws CannotWire unless they are what they must be. */
function checkNetwork({ network_id: networkId = '', mtu }: DeviceDetails): { networkId: string; mtu: number } {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(networkId)) {
    throw new CannotWire(`network id ${JSON.stringify(networkId)}: want a UUID in lower case`);
  }
  if (typeof mtu !== 'number' || !Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) {
    throw new CannotWire(`MTU ${JSON.stringify(mtu ?? null)} of network ${networkId}: want 68 to 65535`);
  }
  return { networkId, mtu };
}
