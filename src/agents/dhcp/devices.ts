import type { Logger } from 'pino';
import { parseAddresses } from '../../linux/addresses.ts';
import { type IpCommand, ipBatch, ipBatchAll, ipQuery, isAlreadyThere, isNotFound } from '../../linux/ip.ts';
import { type LinkMonitor, startLinkMonitor } from '../../linux/link-monitor.ts';
import { type Link, listLinks, parseLinks, showLink } from '../../linux/links.ts';
import { namespaceExists } from '../../linux/namespaces.ts';
import { parseRoutes, ROUTES_QUERY } from '../../linux/routes.ts';
import { setSysctlsAndIp } from '../../linux/sysctl.ts';
import { hostUuid } from '../../rpc/dhcp-device-id.ts';
import {
  type ActualDevice,
  type DevicePlan,
  type DeviceSpec,
  dhcpNamespace,
  planDevice,
  planNewDevice,
} from './device-plan.ts';

/** The devices and namespaces of one DHCP agent. Calls for one network never overlap. */
export interface DhcpDevices {
  /** Brings device and namespace to what is wanted; touches nothing that is right. Throws to be tried again. */
  ensure(spec: DeviceSpec): Promise<void>;
  /** Removes the network's namespace and devices. Not there is no error. */
  remove(networkId: string): Promise<void>;
  /** Networks of which this agent, or an earlier process of it, has devices. */
  owned(): Promise<readonly string[]>;
  /** Calls back when a device has vanished that nobody here removed. */
  onLost(listener: (networkId: string) => void): void;
  close(): Promise<void>;
}

/** Devices made by iproute2: two processes for a new one, one or two for one that is looked at. */
export async function linuxDevices(options: { readonly host: string; readonly log: Logger }): Promise<DhcpDevices> {
  const devices = new LinuxDevices(options.host);
  await devices.watch(options.log);
  return devices;
}

/** Returns what the alias of each device that the agent of a host creates begins with; the network's id follows. */
export const deviceMark = (host: string): string => `neutrino-dhcp:${hostUuid(host)}:`;

class LinuxDevices implements DhcpDevices {
  /** What marks the host's end of a device as this agent's own; survives the process, and tells agents of one machine apart. */
  readonly #mark: string;
  /** Networks by the name of their device. */
  readonly #networks = new Map<string, string>();
  readonly #names = new Map<string, string>();
  /** Host's ends as `owned` found them, for as long as nothing was heard of them since: a sync need not ask for each again. */
  readonly #found = new Map<string, Link>();
  readonly #listeners: ((networkId: string) => void)[] = [];
  #monitor: LinkMonitor | undefined;

  constructor(host: string) {
    this.#mark = deviceMark(host);
  }

  async watch(log: Logger): Promise<void> {
    this.#monitor = await startLinkMonitor({
      log,
      onEvent: ({ kind, link }) => {
        this.#found.delete(link.name);
        const networkId = kind === 'removed' ? this.#networks.get(link.name) : undefined;
        if (networkId !== undefined) for (const listener of this.#listeners) listener(networkId);
      },
    });
  }

  onLost(listener: (networkId: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#listeners.length = 0;
    await this.#monitor?.close();
  }

  async owned(): Promise<readonly string[]> {
    for (const link of await listLinks({ kind: 'veth' })) {
      if (!link.alias?.startsWith(this.#mark)) continue;
      this.#remember(link.alias.slice(this.#mark.length), link.name);
      this.#found.set(link.name, link);
    }
    return [...this.#names.keys()];
  }

  async ensure(spec: DeviceSpec): Promise<void> {
    const alias = this.#mark + spec.networkId;
    // What is removed below is no loss to tell of.
    const found = this.#found.get(spec.device);
    this.#forget(spec.networkId);
    const there = await namespaceExists(spec.namespace);
    const plan = there ? planDevice(spec, alias, await look(spec, found)) : undefined;
    if (plan?.fresh === false) {
      await ipBatch(plan.host);
      // With the settings again: who was killed while making the device did not come to them.
      if (plan.inside.length > 0) await setUpInside(plan, spec);
    } else {
      if (plan) await tearDown(plan, spec);
      await make(planNewDevice(spec, alias, { makeNamespace: !there }), spec);
    }
    this.#remember(spec.networkId, spec.device);
  }

  async remove(networkId: string): Promise<void> {
    const namespace = dhcpNamespace(networkId);
    const known = this.#names.get(networkId);
    this.#forget(networkId);
    const names = known === undefined ? await devicesOf(namespace) : [known];
    // The namespace first: killed in between, the device's mark still says on the next start whose it was.
    const failed = await ipBatchAll([
      ...((await namespaceExists(namespace)) ? [['netns', 'delete', namespace]] : []),
      ...names.map((name) => ['link', 'delete', 'dev', name]),
    ]);
    const serious = failed.find((failure) => !isNotFound(failure));
    if (serious) {
      if (known !== undefined) this.#remember(networkId, known);
      throw serious;
    }
  }

  #remember(networkId: string, device: string): void {
    this.#networks.set(device, networkId);
    this.#names.set(networkId, device);
  }

  #forget(networkId: string): void {
    const device = this.#names.get(networkId);
    if (device !== undefined) {
      this.#networks.delete(device);
      this.#found.delete(device);
    }
    this.#names.delete(networkId);
  }
}

/** Both ends, the addresses and the routes as they are now: a process for each end that is not known. */
async function look(spec: DeviceSpec, found: Link | undefined): Promise<ActualDevice> {
  const [outer, answers] = await Promise.all([
    found ?? showLink(spec.device),
    ipQuery([['addr', 'show'], ROUTES_QUERY], { namespace: spec.namespace }),
  ]);
  return {
    outer,
    inner: parseLinks(answers[0]),
    addresses: parseAddresses(answers[0]),
    routes: parseRoutes(answers[1]),
  };
}

async function devicesOf(namespace: string): Promise<readonly string[]> {
  if (!(await namespaceExists(namespace))) return [];
  const links = await listLinks({ namespace, kind: 'veth' });
  return links.map((link) => link.name).filter((name) => name.startsWith('tap'));
}

async function tearDown(plan: DevicePlan, spec: DeviceSpec): Promise<void> {
  const failed = [...(await ipBatchAll(plan.host)), ...(await ipBatchAll(plan.inside, spec))];
  const serious = failed.find((failure) => !isNotFound(failure));
  if (serious) throw serious;
}

async function make(plan: DevicePlan, spec: DeviceSpec): Promise<void> {
  try {
    await ipBatch(plan.host);
  } catch (error) {
    // A device of this name is left on the host, of a namespace that is gone; the namespace may have been made just now.
    if (!isAlreadyThere(error)) throw error;
    await tearDown({ ...plan, host: [['link', 'delete', 'dev', spec.device]], inside: [] }, spec);
    const there = await namespaceExists(spec.namespace);
    await ipBatch(plan.host.filter((step: IpCommand) => step[0] !== 'netns' || !there));
  }
  await setUpInside(plan, spec);
}

function setUpInside(plan: DevicePlan, spec: DeviceSpec): Promise<void> {
  return setSysctlsAndIp(
    {
      // The server says which addresses the device has: a router's advertisements must not add to them.
      'net/ipv6/conf/default/accept_ra': 0,
      [`net/ipv6/conf/${spec.device}/accept_ra`]: 0,
      // An address that goes must not take the later ones of its subnet along.
      'net/ipv4/conf/all/promote_secondaries': 1,
    },
    plan.inside,
    spec,
  );
}
