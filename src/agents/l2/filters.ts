import type { Logger } from 'pino';
import type { DeviceDetails } from '../../rpc/topics/plugin.ts';
import type { Firewall } from '../firewall/contract.ts';

/** The filters of the devices of this host: set before a device is wired, removed after it is unplugged or has disappeared. */
export class Filters {
  readonly #firewall: Firewall;
  readonly #log: Logger;
  /** Devices whose filters must be removed. */
  readonly #gone = new Set<string>();
  /** Devices whose filters could not be removed. */
  readonly #stuck = new Set<string>();

  constructor(firewall: Firewall, log: Logger) {
    this.#firewall = firewall;
    this.#log = log;
  }

  /** Whether `removeDropped` has work that it has not tried yet. */
  get hasDropped(): boolean {
    return this.#gone.size > 0;
  }

  /** The device needs no filter any more. */
  drop(device: string): void {
    this.#gone.add(device);
  }

  /** Returns the devices that MUST NOT be wired, with the reasons. Ports have no groups as long as the server has none. */
  hold(ports: readonly DeviceDetails[]): Promise<ReadonlyMap<string, Error>> {
    for (const { device } of ports) {
      this.#gone.delete(device);
      this.#stuck.delete(device);
    }
    return this.#firewall.hold(
      ports.map((details) => ({ ...details, security_groups: [] })),
      [],
    );
  }

  /** Removes what `drop` named; what cannot be removed is tried again with what is dropped next. */
  async removeDropped(): Promise<void> {
    if (!this.hasDropped) return;
    const devices = [...new Set([...this.#gone, ...this.#stuck])];
    this.#gone.clear();
    this.#stuck.clear();
    try {
      await this.#firewall.remove(devices);
    } catch (error) {
      for (const device of devices) this.#stuck.add(device);
      this.#log.warn({ err: error, devices }, 'cannot remove filters of removed devices; retrying later');
    }
  }
}
