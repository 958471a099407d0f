import { type FSWatcher, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import { batchText, type IpCommand, ipBatch, ipBatchAll, isNotFound, NETNS_FOLDER } from '../../../../linux/ip.ts';
import { type LinkMonitor, startLinkMonitor } from '../../../../linux/link-monitor.ts';
import { showLink } from '../../../../linux/links.ts';
import { namespaceExists } from '../../../../linux/namespaces.ts';
import type { InterfaceDriver } from '../../contract.ts';
import type { AgentDevice, InsideSetup, NamespaceState } from '../../device.ts';
import { lookInside, NEW, portDevicesIn, setUpInside } from '../../inside.ts';
import { OwnedDevices } from '../../owned-devices.ts';
import { conflictingPorts, differingIds, idsOf, isUsable, markOf } from './external-ids.ts';
import { type PortPlan, planPort } from './plan.ts';
import { OpenvSwitch, type SwitchOptions } from './switch.ts';

/** Creates the driver for internal ports of the bridge, moved into their namespaces. */
export async function createInternalPortDriver(
  parts: Omit<SwitchOptions, 'onChange'> & { readonly mark: string },
): Promise<InterfaceDriver> {
  const driver = new InternalPortDriver(parts);
  try {
    await driver.watch();
  } catch (error) {
    await driver.close();
    throw error;
  }
  return driver;
}

type Configure = (there: NamespaceState) => InsideSetup;

class InternalPortDriver implements InterfaceDriver {
  readonly #mark: string;
  readonly #bridge: string;
  readonly #log: Logger;
  readonly #switch: OpenvSwitch;
  readonly #owned = new OwnedDevices();
  /** Owners by namespace. */
  readonly #namespaces = new Map<string, string>();
  /** Devices that are being plugged: what happens to them is the driver's work. */
  readonly #busy = new Set<string>();
  readonly #listeners: ((owner: string) => void)[] = [];
  #monitor: LinkMonitor | undefined;
  #folder: FSWatcher | undefined;

  constructor(parts: Omit<SwitchOptions, 'onChange'> & { readonly mark: string }) {
    this.#mark = parts.mark;
    this.#bridge = parts.bridge;
    this.#log = parts.log;
    this.#switch = new OpenvSwitch({ ...parts, onChange: () => this.#portsChanged() });
  }

  async watch(): Promise<void> {
    this.#monitor = await startLinkMonitor({
      log: this.#log,
      onEvent: ({ kind, link }) => {
        if (kind === 'added' && this.#isIdle(link.name)) void this.#appeared(link.name);
      },
      onRemovedElsewhere: (name) => {
        if (this.#isIdle(name)) this.#lost(name);
      },
    });
    // A user space datapath keeps the port of a device that went with its namespace.
    await mkdir(NETNS_FOLDER, { recursive: true });
    this.#folder = watch(NETNS_FOLDER, { persistent: false }, (_event, name) => void this.#namespaceChanged(name));
    this.#folder.on('error', (error) => this.#log.warn({ err: error }, 'cannot watch the namespaces of this host'));
    await this.#switch.connected().catch((error: unknown) => {
      this.#log.warn({ err: error }, 'Open vSwitch is not reachable; networks are plugged once it is');
    });
  }

  onLost(listener: (owner: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#listeners.length = 0;
    this.#folder?.close();
    this.#switch.close();
    await this.#monitor?.close();
  }

  async owners(): Promise<readonly string[]> {
    await this.#switch.connected();
    for (const port of this.#switch.ports.values()) {
      const mark = markOf(port);
      if (mark?.startsWith(this.#mark)) this.#owned.remember(port.name, mark.slice(this.#mark.length));
    }
    return this.#owned.owners();
  }

  async plug(device: AgentDevice, configure: Configure): Promise<void> {
    const { name, owner, namespace, siblings } = device;
    // The removal of these devices below is not a loss.
    for (const known of this.#owned.devicesOf(owner)) if (!siblings.includes(known)) this.#owned.forget(known);
    this.#busy.add(name);
    try {
      await this.#plug(device, configure);
    } finally {
      this.#busy.delete(name);
    }
    this.#owned.remember(name, owner);
    this.#namespaces.set(namespace, owner);
  }

  async #plug(device: AgentDevice, configure: Configure): Promise<void> {
    const { name, namespace } = device;
    await this.#switch.connected();
    const { ports } = this.#switch;
    const wanted = { name, bridge: this.#bridge, type: 'internal', ids: idsOf(device, this.#mark) };
    const existing = ports.get(name);
    const usable = isUsable(existing, wanted);
    const there = await namespaceExists(namespace);
    const inside = there ? await lookInside(device) : { inner: [], state: NEW };
    const outer = await this.#isOnHost(name);
    const plan = planPort(device, { usable, outer, inner: inside.inner, ports: new Set(ports.keys()) });
    const conflicts = conflictingPorts(ports.values(), device, this.#mark);
    if (conflicts.length > 0)
      this.#log.info({ ports: conflicts, device: name }, 'removing ports that a device replaces');
    const host: readonly IpCommand[] = [
      ...(there ? [] : [['netns', 'add', namespace]]),
      ['link', 'set', 'dev', name, 'address', device.mac],
      ['link', 'set', 'dev', name, 'netns', namespace],
    ];
    // Throws for what cannot be a name or address, before anything is changed.
    batchText(host);
    await this.#switch.remove([...conflicts, ...plan.stalePorts, ...(plan.step === 'replace' ? [name] : [])]);
    if (plan.step === 'keep') {
      const ids = usable ? differingIds(existing, wanted.ids) : {};
      if (Object.keys(ids).length > 0) await this.#switch.setIds(name, ids);
      const { steps, settings } = configure(inside.state);
      // With the settings again: a process killed while creating the device did not come to them.
      await setUpInside(device, [...plan.inside, ...steps], settings);
      return;
    }
    await this.#clear(device, plan, { outer: outer && plan.step === 'replace', inner: inside.inner });
    if (plan.step === 'replace') await this.#switch.add(wanted);
    else await this.#switch.setIds(name, wanted.ids);
    await ipBatch(host);
    const { steps, settings } = configure(NEW);
    await setUpInside(device, [...upCommands(device), ...steps], settings);
  }

  /** Removes what would be in a new device's way: its predecessors in the namespace, and a device of its name on the host. */
  async #clear(
    { name, namespace }: AgentDevice,
    { inside }: PortPlan,
    { outer, inner }: { readonly outer: boolean; readonly inner: readonly { readonly name: string }[] },
  ): Promise<void> {
    await this.#switch.settled();
    const remove = ['link', 'delete', 'dev', name];
    const dead = inner.some((link) => link.name === name) ? [remove] : [];
    const failed = [
      ...(await ipBatchAll(outer ? [remove] : [])),
      ...(await ipBatchAll([...inside, ...dead], { namespace })),
    ];
    const serious = failed.find((failure) => !isNotFound(failure));
    if (serious) throw serious;
  }

  async unplug(owner: string, namespace: string): Promise<void> {
    const known = this.#owned.devicesOf(owner);
    for (const name of known) this.#owned.forget(name);
    this.#namespaces.delete(namespace);
    try {
      await this.#switch.connected();
      const { ports } = this.#switch;
      const inside = await portDevicesIn(namespace);
      const marked = [...ports.values()].filter((port) => markOf(port) === `${this.#mark}${owner}`);
      // The namespace first: killed in between, the port's mark still names the owner at the next start.
      const failed = await ipBatchAll((await namespaceExists(namespace)) ? [['netns', 'delete', namespace]] : []);
      const serious = failed.find((failure) => !isNotFound(failure));
      if (serious) throw serious;
      await this.#switch.remove([...new Set([...known, ...inside, ...marked.map(({ name }) => name)])]);
    } catch (error) {
      for (const name of known) this.#owned.remember(name, owner);
      throw error;
    }
  }

  /** Whether the host has the device now; events of recent changes may still be in transit. */
  async #isOnHost(name: string): Promise<boolean> {
    return this.#monitor?.links().has(name) === true && (await showLink(name)) !== undefined;
  }

  #isIdle(name: string): boolean {
    return this.#owned.ownerOf(name) !== undefined && !this.#busy.has(name);
  }

  #lost(name: string): void {
    const owner = this.#owned.ownerOf(name);
    if (owner !== undefined) for (const listener of this.#listeners) listener(owner);
  }

  /** ovs-vswitchd has restarted and created the device again, on the host. */
  async #appeared(name: string): Promise<void> {
    const link = await showLink(name).catch(() => undefined);
    if (link && this.#isIdle(name)) this.#lost(name);
  }

  #portsChanged(): void {
    for (const name of this.#owned.names()) if (this.#isIdle(name) && !this.#switch.ports.has(name)) this.#lost(name);
  }

  async #namespaceChanged(namespace: string | null): Promise<void> {
    const owner = namespace === null ? undefined : this.#namespaces.get(namespace);
    if (namespace === null || owner === undefined) return;
    if (await namespaceExists(namespace).catch(() => true)) return;
    for (const name of this.#owned.devicesOf(owner)) if (this.#isIdle(name)) this.#lost(name);
  }
}

/** The steps for a device that has just been moved. Its MTU comes now: on the host, Open vSwitch would set that of the bridge. */
function upCommands({ name, mtu }: AgentDevice): readonly IpCommand[] {
  return [
    ['link', 'set', 'dev', 'lo', 'up'],
    ['link', 'set', 'dev', name, 'mtu', String(mtu)],
    ['link', 'set', 'dev', name, 'up'],
  ];
}
