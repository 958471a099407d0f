import { hasIpv6, setSysctls } from '../../../../linux/sysctl.ts';
import type { InterfaceDriver } from '../../contract.ts';
import type { AgentDevice, InsideSetup, NamespaceState } from '../../device.ts';
import { NEW } from '../../inside.ts';
import { createVethDriver } from '../linuxbridge/driver.ts';
import { conflictingPorts, differingIds, idsOf, isUsable, markOf } from './external-ids.ts';
import { OpenvSwitch, type SwitchOptions } from './switch.ts';

/** Creates the driver for veth pairs whose host ends are ports of the bridge (ovs_use_veth). */
export async function createVethPortDriver(
  parts: Omit<SwitchOptions, 'onChange'> & { readonly mark: string },
): Promise<InterfaceDriver> {
  return new VethPortDriver(parts, await createVethDriver(parts));
}

class VethPortDriver implements InterfaceDriver {
  readonly #parts: Omit<SwitchOptions, 'onChange'> & { readonly mark: string };
  readonly #pairs: InterfaceDriver;
  readonly #switch: OpenvSwitch;
  readonly #listeners: ((owner: string) => void)[] = [];
  /** Owners by the ports that this process has plugged. */
  readonly #plugged = new Map<string, string>();

  constructor(parts: Omit<SwitchOptions, 'onChange'> & { readonly mark: string }, pairs: InterfaceDriver) {
    this.#parts = parts;
    this.#pairs = pairs;
    this.#switch = new OpenvSwitch({ ...parts, onChange: () => this.#portsChanged() });
  }

  onLost(listener: (owner: string) => void): void {
    this.#listeners.push(listener);
    this.#pairs.onLost(listener);
  }

  async close(): Promise<void> {
    this.#listeners.length = 0;
    this.#switch.close();
    await this.#pairs.close();
  }

  async owners(): Promise<readonly string[]> {
    const { mark } = this.#parts;
    await this.#switch.connected();
    const marked = [...this.#switch.ports.values()].flatMap((port) => {
      const its = markOf(port);
      return its?.startsWith(mark) ? [its.slice(mark.length)] : [];
    });
    return [...new Set([...(await this.#pairs.owners()), ...marked])];
  }

  async plug(device: AgentDevice, configure: (there: NamespaceState) => InsideSetup): Promise<void> {
    const { bridge, mark } = this.#parts;
    const { name, owner, siblings } = device;
    const wanted = { name, bridge, type: '', ids: idsOf(device, mark) };
    await this.#switch.connected();
    for (const [known, its] of this.#plugged) {
      if (its === owner && !siblings.includes(known)) this.#plugged.delete(known);
    }
    const existing = this.#switch.ports.get(name);
    const usable = isUsable(existing, wanted);
    const conflicts = conflictingPorts(this.#switch.ports.values(), device, mark);
    await this.#switch.remove([...conflicts, ...(existing && !usable ? [name] : [])]);
    // An internal port has a device of this name, which goes with it.
    await this.#switch.settled();
    let isNew = false;
    await this.#pairs.plug(device, (there) => {
      isNew = there === NEW;
      return configure(there);
    });
    // Open vSwitch may still hold the predecessor of a new device.
    if (usable && isNew) await this.#switch.remove([name]);
    if (usable && !isNew) {
      const ids = differingIds(existing, wanted.ids);
      if (Object.keys(ids).length > 0) await this.#switch.setIds(name, ids);
    } else {
      // The host must not announce addresses of its own on the network.
      if (hasIpv6()) await setSysctls({ [`net/ipv6/conf/${name}/disable_ipv6`]: 1 });
      await this.#switch.add(wanted);
    }
    this.#plugged.set(name, owner);
  }

  async unplug(owner: string, namespace: string): Promise<void> {
    const { mark } = this.#parts;
    const known = [...this.#plugged].filter(([, its]) => its === owner).map(([name]) => name);
    for (const name of known) this.#plugged.delete(name);
    await this.#switch.connected();
    const marked = [...this.#switch.ports.values()].filter((port) => markOf(port) === `${mark}${owner}`);
    await this.#pairs.unplug(owner, namespace);
    // Last: killed in between, the port's mark still names the owner at the next start.
    await this.#switch.remove([...new Set([...known, ...marked.map(({ name }) => name)])]);
  }

  #portsChanged(): void {
    for (const [name, owner] of this.#plugged) {
      if (!this.#switch.ports.has(name)) for (const listener of this.#listeners) listener(owner);
    }
  }
}
