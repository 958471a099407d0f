import type { Logger } from 'pino';
import { bridgeName } from '../../net/device-names.ts';
import type { DeviceDetails } from '../../rpc/topics/plugin.ts';
import type { FilterRule, SecurityGroupInfo } from '../../rpc/topics/security-groups.ts';
import type { Firewall } from '../firewall/contract.ts';
import type { FilterChange, FilteredPort } from '../firewall/groups.ts';

export interface FiltersParts {
  readonly firewall: Firewall;
  readonly log: Logger;
  /** Asks the server how the ports of devices are filtered. */
  readonly infoFor: (devices: readonly string[]) => Promise<SecurityGroupInfo>;
}

/** The groups of a device's port, and the groups that their rules name. */
interface Known {
  readonly groups: readonly string[];
  readonly remotes: ReadonlySet<string>;
}

/** The filters of the devices of this host: set before a device is wired, removed after it is unplugged or has disappeared. */
export class Filters {
  readonly #parts: FiltersParts;
  readonly #known = new Map<string, Known>();
  /** Groups whose rules, or whose members, have changed. */
  readonly #rules = new Set<string>();
  readonly #members = new Set<string>();
  /** Devices whose filters must be removed. */
  readonly #gone = new Set<string>();
  /** Devices whose filters could not be removed. */
  readonly #stuck = new Set<string>();
  #checks = false;

  constructor(parts: FiltersParts) {
    this.#parts = parts;
  }

  /** Whether `removeDropped` or `refresh` has work that it has not tried yet. */
  get hasWork(): boolean {
    return this.#gone.size > 0 || this.#rules.size > 0 || this.#members.size > 0 || this.#checks;
  }

  /** The device needs no filter any more. */
  drop(device: string): void {
    this.#gone.add(device);
    this.#known.delete(device);
  }

  /** The rules of groups have changed; returns whether that concerns a device. */
  rulesChanged(groups: readonly string[]): boolean {
    return this.#note(groups, this.#rules, ({ groups: own }, id) => own.includes(id));
  }

  /** Ports of groups, or their addresses, have changed; returns whether that concerns a device. */
  membersChanged(groups: readonly string[]): boolean {
    return this.#note(groups, this.#members, ({ remotes }, id) => remotes.has(id));
  }

  /** The filters are to be compared with what they should be. */
  check(): void {
    this.#checks = this.#parts.firewall.filters;
  }

  /** Returns the devices that MUST NOT be wired, with the reasons. Throws if the server does not answer. */
  async hold(ports: readonly DeviceDetails[]): Promise<ReadonlyMap<string, Error>> {
    for (const { device } of ports) {
      this.#gone.delete(device);
      this.#stuck.delete(device);
    }
    const { firewall, infoFor } = this.#parts;
    if (ports.length === 0 || !firewall.filters) return firewall.hold({ ports: ports.flatMap(unfiltered) });
    const info = await infoFor(ports.map(({ device }) => device));
    const byDevice = new Map(Object.values(info.devices).map((one) => [one.device, one]));
    const wanted = ports.flatMap((details) => {
      const filtered = byDevice.get(details.device);
      // The server names no trusted ports.
      if (!filtered?.port_security_enabled) return unfiltered(details);
      const groups = filtered.security_groups;
      this.#known.set(details.device, { groups, remotes: remotesOf(groups, info) });
      const stateful = groups.every((id) => (info.security_groups[id] ?? []).every((rule) => rule.stateful !== false));
      return unfiltered(details).map(
        (port): FilteredPort => ({
          ...port,
          fixed_ips: filtered.fixed_ips,
          allowed_address_pairs: filtered.allowed_address_pairs,
          mac_address: filtered.mac_address,
          security_groups: groups,
          stateful,
        }),
      );
    });
    for (const { device, security_groups: groups } of wanted) if (groups === undefined) this.#known.delete(device);
    return firewall.hold({ ports: wanted, ...groupsOf(info) });
  }

  /** The devices will be held again, with all that has changed. */
  forgetChanges(): void {
    this.#rules.clear();
    this.#members.clear();
  }

  /** Sets again what has changed of groups; compares filters if that is due. Throws if the server does not answer. */
  async refresh(): Promise<void> {
    const { firewall, infoFor, log } = this.#parts;
    if (this.#rules.size > 0 || this.#members.size > 0) {
      const [rules, members] = [[...this.#rules], [...this.#members]];
      this.#rules.clear();
      this.#members.clear();
      const devices = this.#devicesFor(rules, members);
      try {
        if (devices.length > 0) await firewall.hold(groupsOf(await infoFor(devices), this.#learn));
      } catch (error) {
        for (const id of rules) this.#rules.add(id);
        for (const id of members) this.#members.add(id);
        throw error;
      }
    }
    if (!this.#checks) return;
    this.#checks = false;
    await firewall.check().catch((error: Error) => log.error({ reason: error.message }, 'cannot check the filters'));
  }

  /** Removes what `drop` named; what cannot be removed is tried again with what is dropped next. */
  async removeDropped(): Promise<void> {
    if (this.#gone.size === 0) return;
    const devices = [...new Set([...this.#gone, ...this.#stuck])];
    this.#gone.clear();
    this.#stuck.clear();
    try {
      await this.#parts.firewall.remove(devices);
    } catch (error) {
      for (const device of devices) this.#stuck.add(device);
      this.#parts.log.warn({ err: error, devices }, 'cannot remove filters of removed devices; retrying later');
    }
  }

  #note(groups: readonly string[], changed: Set<string>, concerns: (known: Known, id: string) => boolean): boolean {
    const known = [...this.#known.values()];
    const concerned = groups.filter((id) => known.some((one) => concerns(one, id)));
    for (const id of concerned) changed.add(id);
    return concerned.length > 0;
  }

  /** Returns a device for each group: what the server says of it is enough. */
  #devicesFor(rules: readonly string[], members: readonly string[]): readonly string[] {
    const found = new Set<string>();
    const find = (is: (known: Known) => boolean) => {
      for (const [device, known] of this.#known)
        if (is(known)) {
          found.add(device);
          return;
        }
    };
    for (const id of rules) find(({ groups }) => groups.includes(id));
    for (const id of members) find(({ remotes }) => remotes.has(id));
    return [...found];
  }

  /** New rules may name other groups. */
  readonly #learn = (info: SecurityGroupInfo): void => {
    const asked = new Set(Object.keys(info.security_groups));
    for (const [device, { groups, remotes }] of this.#known)
      if (groups.some((id) => asked.has(id)))
        this.#known.set(device, { groups, remotes: new Set([...remotes, ...remotesOf(groups, info)]) });
  };
}

/** Returns a port without a filter; nothing for a device without a port. */
function unfiltered({ device, network_id: network, mac_address: mac = '' }: DeviceDetails): readonly FilteredPort[] {
  if (network === undefined) return [];
  const nothing = { fixed_ips: [], allowed_address_pairs: [], security_groups: undefined };
  return [{ device, bridge: bridgeName(network), mac_address: mac, ...nothing }];
}

const namedBy = ({ remote_group_id: group, remote_address_group_id: addresses }: FilterRule): readonly string[] =>
  [group, addresses].filter((id) => id !== undefined);

const remotesOf = (groups: readonly string[], info: SecurityGroupInfo): ReadonlySet<string> =>
  new Set(groups.flatMap((id) => (info.security_groups[id] ?? []).flatMap(namedBy)));

/** Returns the groups of an answer, and the members that their rules need. */
function groupsOf(info: SecurityGroupInfo, learn?: (info: SecurityGroupInfo) => void): FilterChange {
  learn?.(info);
  const groups = Object.entries(info.security_groups).map(([id, rules]) => ({ id, rules }));
  const named = new Set(groups.flatMap(({ rules }) => rules.flatMap(namedBy)));
  const remotes = [...named].map((id) => ({
    id,
    members: Object.values(info.sg_member_ips[id] ?? {}).flatMap((all) => all.map(([address]) => address)),
  }));
  return { groups, remotes };
}
