import type { Logger } from 'pino';
import { type IpCommand, ipBatch, ipBatchAll, isAlreadyThere, isNotFound } from '../../../../linux/ip.ts';
import { type LinkMonitor, startLinkMonitor } from '../../../../linux/link-monitor.ts';
import { type Link, listLinks, showLink } from '../../../../linux/links.ts';
import { namespaceExists } from '../../../../linux/namespaces.ts';
import type { InterfaceDriver } from '../../contract.ts';
import type { AgentDevice, InsideSetup, NamespaceState } from '../../device.ts';
import { lookInside, NEW, portDevicesIn, setUpInside } from '../../inside.ts';
import { OwnedDevices } from '../../owned-devices.ts';
import { type ActualEnds, type DevicePlan, planDevice, planNewDevice } from './plan.ts';

/** Manages veth pairs with iproute2: two processes for a new one, one or two for the check of an existing one. */
export async function createVethDriver(parts: {
  readonly mark: string;
  readonly log: Logger;
}): Promise<InterfaceDriver> {
  const driver = new VethDriver(parts.mark);
  await driver.watch(parts.log);
  return driver;
}

type Configure = (there: NamespaceState) => InsideSetup;

class VethDriver implements InterfaceDriver {
  readonly #mark: string;
  readonly #owned = new OwnedDevices();
  /** Host ends as `owners` found them, until an event reports a change: a full sync does not query each again. */
  readonly #found = new Map<string, Link>();
  readonly #listeners: ((owner: string) => void)[] = [];
  #monitor: LinkMonitor | undefined;

  constructor(mark: string) {
    this.#mark = mark;
  }

  async watch(log: Logger): Promise<void> {
    this.#monitor = await startLinkMonitor({
      log,
      onEvent: ({ kind, link }) => {
        this.#found.delete(link.name);
        const owner = kind === 'removed' ? this.#owned.ownerOf(link.name) : undefined;
        if (owner !== undefined) for (const listener of this.#listeners) listener(owner);
      },
    });
  }

  onLost(listener: (owner: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#listeners.length = 0;
    await this.#monitor?.close();
  }

  async owners(): Promise<readonly string[]> {
    for (const link of await listLinks({ kind: 'veth' })) {
      if (!link.alias?.startsWith(this.#mark)) continue;
      this.#owned.remember(link.name, link.alias.slice(this.#mark.length));
      this.#found.set(link.name, link);
    }
    return this.#owned.owners();
  }

  async plug(device: AgentDevice, configure: Configure): Promise<void> {
    const alias = this.#mark + device.owner;
    const found = this.#found.get(device.name);
    // The removal of these devices below is not a loss.
    for (const name of this.#owned.devicesOf(device.owner)) if (!device.siblings.includes(name)) this.#forget(name);
    const there = await namespaceExists(device.namespace);
    const actual = there ? await look(device, found) : undefined;
    const plan = actual && planDevice(device, alias, actual);
    if (actual && plan?.fresh === false) {
      await ipBatch(plan.host);
      const { steps, settings } = configure(actual.state);
      // With the settings again: a process killed while creating the device did not come to them.
      await setUpInside(device, [...plan.inside, ...steps], settings);
    } else {
      if (plan) await tearDown(device, plan);
      await create(device, alias, { makeNamespace: !there }, configure(NEW));
    }
    this.#owned.remember(device.name, device.owner);
  }

  async unplug(owner: string, namespace: string): Promise<void> {
    const known = this.#owned.devicesOf(owner);
    for (const name of known) this.#forget(name);
    const names = known.length === 0 ? await portDevicesIn(namespace, 'veth') : known;
    // The namespace first: killed in between, the device's mark still names the owner at the next start.
    const failed = await ipBatchAll([
      ...((await namespaceExists(namespace)) ? [['netns', 'delete', namespace]] : []),
      ...names.map((name) => ['link', 'delete', 'dev', name]),
    ]);
    const serious = failed.find((failure) => !isNotFound(failure));
    if (serious) {
      for (const name of known) this.#owned.remember(name, owner);
      throw serious;
    }
  }

  #forget(name: string): void {
    this.#found.delete(name);
    this.#owned.forget(name);
  }
}

/** Returns the current state of both ends, addresses and routes: one process for each unknown end. */
async function look(
  device: AgentDevice,
  found: Link | undefined,
): Promise<ActualEnds & { readonly state: NamespaceState }> {
  const [outer, inside] = await Promise.all([found ?? showLink(device.name), lookInside(device)]);
  return { outer, ...inside };
}

async function tearDown(
  where: Pick<AgentDevice, 'namespace'>,
  plan: Pick<DevicePlan, 'host' | 'inside'>,
): Promise<void> {
  const failed = [...(await ipBatchAll(plan.host)), ...(await ipBatchAll(plan.inside, where))];
  const serious = failed.find((failure) => !isNotFound(failure));
  if (serious) throw serious;
}

async function create(
  device: AgentDevice,
  alias: string,
  options: { readonly makeNamespace: boolean },
  { steps, settings }: InsideSetup,
): Promise<void> {
  const plan = planNewDevice(device, alias, options);
  try {
    await ipBatch(plan.host);
  } catch (error) {
    // A device of this name is left on the host, of a namespace that is gone; the namespace may have been created just now.
    if (!isAlreadyThere(error)) throw error;
    await tearDown(device, { host: [['link', 'delete', 'dev', device.name]], inside: [] });
    const there = await namespaceExists(device.namespace);
    await ipBatch(plan.host.filter((step: IpCommand) => step[0] !== 'netns' || !there));
  }
  await setUpInside(device, [...plan.inside, ...steps], settings);
}
