import type { Logger } from 'pino';
import type { InNamespace } from '../../linux/ip.ts';
import { type LinkEvent, type LinkMonitor, type MonitoredLink, startLinkMonitor } from '../../linux/link-monitor.ts';
import { listLinks } from '../../linux/links.ts';
import { TAP_NAME } from '../../net/device-names.ts';
import type { L2Driver } from './contract.ts';
import { compareWithHost, type Device, isAsWired } from './devices.ts';

/** Between full looks at the host's devices, because the kernel drops events when a listener is slow. */
const LOOK_MS = 60_000;
/** From an event that does not fit to a look: most are steps of what is being done right now. */
const LOOK_SOON_MS = 1_000;

/** Hears what happens to the devices of this host. */
interface DeviceListener {
  /** A device of a port has appeared, or is no longer as it was wired. */
  due(name: string): void;
  /** A device of a port has disappeared. */
  vanished(name: string, device: Device): void;
  /** Any device of the host has disappeared. */
  linkRemoved(name: string): void;
  /** The host has been looked at as a whole. */
  looked(): void;
}

/** The devices of ports on this host: those named after a port, regardless of who created them. */
export class HostDevices {
  readonly #where: InNamespace;
  readonly #log: Logger;
  readonly #known = new Map<string, Device>();
  #driver: Pick<L2Driver, 'isWired'> = { isWired: () => true };
  #listener: DeviceListener | undefined;
  #monitor: LinkMonitor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lookAt = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(where: InNamespace, log: Logger) {
    this.#where = where;
    this.#log = log;
  }

  /** Starts watching; resolves when `known` is complete. Throws when devices cannot be listed. */
  async watch(driver: Pick<L2Driver, 'isWired'>, listener: DeviceListener): Promise<void> {
    this.#driver = driver;
    this.#listener = listener;
    this.#monitor = await startLinkMonitor({
      ...this.#where,
      log: this.#log,
      onEvent: (event) => this.#hear(event),
    });
    if (this.#closed) await this.#monitor.close();
    else this.#lookIn(LOOK_MS);
  }

  /** All devices of the host, by name. */
  links(): ReadonlyMap<string, MonitoredLink> {
    return this.#monitor?.links() ?? new Map();
  }

  /** Whether all devices are known; before, nothing can be concluded from the absence of one. */
  get isComplete(): boolean {
    return this.#monitor !== undefined;
  }

  /** Devices of ports, by name. */
  get known(): ReadonlyMap<string, Device> {
    return this.#known;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#monitor?.close();
  }

  #hear({ kind, link }: LinkEvent): void {
    const { name, index } = link;
    if (kind === 'removed') {
      if (this.#known.get(name)?.index === index) this.#vanished(name);
      this.#listener?.linkRemoved(name);
    } else if (TAP_NAME.test(name)) {
      const device = this.#known.get(name);
      if (device?.index !== index) this.#appeared(name, index);
      else if (!isAsWired(device, link, this.#driver)) this.#lookIn(LOOK_SOON_MS);
    }
  }

  #appeared(name: string, index: number): void {
    this.#known.set(name, { index });
    this.#listener?.due(name);
  }

  #vanished(name: string): void {
    const device = this.#known.get(name);
    this.#known.delete(name);
    if (device) this.#listener?.vanished(name, device);
  }

  #lookIn(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#lookAt || this.#closed) return;
    clearTimeout(this.#timer);
    this.#lookAt = at;
    this.#timer = setTimeout(() => void this.#look(), ms);
  }

  /** Compares the devices on the host with the known ones, to find changes that no event reported. */
  async #look(): Promise<void> {
    try {
      const before = new Map(this.#known);
      const links = await listLinks(this.#where);
      if (this.#closed) return;
      const { vanished, appeared, changed } = compareWithHost(before, this.#known, links, this.#driver);
      for (const name of vanished) this.#vanished(name);
      for (const { name, index } of appeared) this.#appeared(name, index);
      for (const name of changed) this.#listener?.due(name);
      this.#listener?.looked();
    } catch (error) {
      this.#log.warn({ err: error }, 'cannot list the devices of this host');
    } finally {
      this.#lookAt = Number.POSITIVE_INFINITY;
      this.#lookIn(LOOK_MS);
    }
  }
}
