import type { Config } from '../../../../config/options.ts';
import type { NetworkFacts, NetworkInfo, PortDocument } from '../../../../rpc/documents.ts';
import { type NetworkAnswers, networkAnswers, shapesNetwork } from '../../answers/network.ts';
import { portAnswers } from '../../answers/port.ts';
import { type Refusal, Refusals } from '../../answers/refusals.ts';
import type { PortChanges } from '../../wanted.ts';
import { renderCommandLine } from './command-line.ts';
import { fileText, type Line, name } from './fields.ts';
import { addressKey, Holders } from './holders.ts';
import { type Entitlement, type PortLines, renderPort } from './port-lines.ts';
import { renderSubnetOptions } from './subnet-options.ts';

/** A network rendered for dnsmasq. */
export interface RenderedNetwork {
  /** Texts of the files, by name. */
  readonly host: string;
  readonly addnHosts: string;
  readonly opts: string;
  /** The permitted holder of each address; other leases are stale. */
  readonly entitled: readonly Entitlement[];
  /** Returns who may hold an address. */
  readonly holderOf: (address: string) => Entitlement | undefined;
  /** The command line. */
  readonly commandLine: readonly string[];
  /** Whether any subnet has DHCP. */
  readonly enableDhcp: boolean;
  /** Whether the namespace must serve metadata. */
  readonly enableMetadata: boolean;
  /** Values omitted because dnsmasq cannot represent them. */
  readonly refused: readonly Refusal[];
}

interface RenderedPort {
  readonly document: PortDocument;
  /** Inputs other than the document: `NetworkAnswers.portKey`. */
  readonly key: string;
  readonly lines: PortLines;
}

/** The lines of a network, cached per port: a changed port only costs the rendering of its own lines. */
export class NetworkLines {
  readonly #config: Config;
  readonly #ports = new Map<string, RenderedPort>();
  /** Ports that the answers for other ports depend on. */
  #shaping = new Map<string, PortDocument>();
  readonly #holders = new Holders();
  /** Ids of `#ports` in the order of their lines. */
  #order: string[] = [];
  #facts: NetworkFacts;
  #ownPortId: string | undefined;
  #answers: NetworkAnswers;
  #subnetOpts: readonly Line[] = [];
  #commandLine: readonly string[] = [];
  #refused: readonly Refusal[] = [];

  /** Throws Refused for a network id that cannot be a folder name. */
  constructor(config: Config, info: NetworkInfo, ownPortId?: string) {
    this.#config = config;
    this.#facts = info;
    this.#answers = networkAnswers({ ...info, ports: [] }, config);
    this.serve(info, ownPortId);
  }

  /** Sets the whole network. Ports that are the same objects as before, with the same answers, keep their lines. */
  serve(info: NetworkInfo, ownPortId?: string): void {
    const { ports, ...facts } = info;
    this.#facts = facts;
    this.#ownPortId = ownPortId;
    this.#order = ports.map(({ id }) => id);
    const wanted = new Set(this.#order);
    for (const id of this.#ports.keys()) if (!wanted.has(id)) this.#remove(id);
    this.#shaping.clear();
    for (const port of ports) if (shapesNetwork(port)) this.#shaping.set(port.id, port);
    this.#answerNetwork();
    for (const port of ports) this.#set(port);
  }

  /**
   * Takes ports that changed in a network whose ports came in the order of their ids. Returns the IPv6 addresses that went from
   * one MAC address to another.
   */
  change({ set, removed }: PortChanges): ReadonlySet<string> {
    const gone = [...new Set(removed)].filter((id) => this.#ports.has(id));
    const addresses = new Set<string>();
    const before = new Map<string, string | undefined>();
    const note = (id: string) => {
      for (const { version, address } of this.#ports.get(id)?.lines.entitled ?? []) {
        if (version === 6) addresses.add(addressKey(address));
      }
    };
    const touched = [...gone, ...set.map(({ id }) => id)];
    for (const id of touched) note(id);
    for (const address of addresses) before.set(address, this.#holders.of(address)?.mac);

    let reshaped = false;
    for (const id of gone) {
      reshaped = this.#shaping.delete(id) || reshaped;
      this.#remove(id);
      this.#order.splice(this.#position(id), 1);
    }
    for (const port of set) {
      reshaped = this.#shaping.delete(port.id) || shapesNetwork(port) || reshaped;
      if (shapesNetwork(port)) this.#shaping.set(port.id, port);
      if (!this.#ports.has(port.id)) this.#order.splice(this.#position(port.id), 0, port.id);
      this.#set(port);
    }
    if (reshaped) {
      this.#shaping = new Map([...this.#shaping].sort(([a], [b]) => (a < b ? -1 : 1)));
      this.#answerNetwork();
    }
    const moved = [...before].filter(([address, mac]) => (this.#holders.of(address)?.mac ?? mac) !== mac);
    return new Set(moved.map(([address]) => address));
  }

  rendered(): RenderedNetwork {
    const host: Line[] = [];
    const addnHosts: Line[] = [];
    const opts: Line[] = [...this.#subnetOpts];
    const entitled: Entitlement[] = [];
    const refused: Refusal[] = [...this.#refused];
    for (const id of this.#order) {
      const lines = this.#ports.get(id)?.lines;
      if (!lines) continue;
      host.push(...lines.host);
      addnHosts.push(...lines.addnHosts);
      opts.push(...lines.opts);
      entitled.push(...lines.entitled);
      refused.push(...lines.refused);
    }
    return {
      host: fileText(host),
      addnHosts: fileText(addnHosts),
      opts: fileText(opts),
      entitled,
      holderOf: (address) => this.#holders.of(address),
      commandLine: this.#commandLine,
      enableDhcp: this.#answers.enableDhcp,
      enableMetadata: this.#answers.enableMetadata,
      refused,
    };
  }

  #answerNetwork(): void {
    const ports = [...this.#shaping.values()];
    const refusals = new Refusals();
    this.#answers = networkAnswers({ ...this.#facts, ports }, this.#config, {
      ownPortId: this.#ownPortId,
      checkDomain: (domain) => name(domain, 'dns_domain'),
    });
    this.#subnetOpts = renderSubnetOptions(this.#answers, refusals);
    this.#commandLine = renderCommandLine(this.#answers, this.#config.DEFAULT, refusals);
    this.#refused = [...this.#answers.refused, ...refusals.list];
  }

  #set(document: PortDocument): void {
    const { portKey: key, domain } = this.#answers;
    const known = this.#ports.get(document.id);
    if (known?.document === document && known.key === key) return;
    const mergeIpv6 = this.#config.DEFAULT.dnsmasq_enable_addr6_list;
    const lines = renderPort(portAnswers(document, this.#answers), { domain, mergeIpv6 });
    if (known) this.#holders.delete(document.id, known.lines.entitled);
    this.#holders.add(document.id, lines.entitled);
    this.#ports.set(document.id, { document, key, lines });
  }

  #remove(id: string): void {
    this.#holders.delete(id, this.#ports.get(id)?.lines.entitled ?? []);
    this.#ports.delete(id);
  }

  /** Returns the position of an id in the order, existing or not. */
  #position(id: string): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#order[middle] ?? '') < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Renders a whole network. Throws Refused only for a network id that cannot be a folder name. */
export function renderNetwork(
  info: NetworkInfo,
  config: Config,
  more: { readonly ownPortId?: string } = {},
): RenderedNetwork {
  return new NetworkLines(config, info, more.ownPortId).rendered();
}

/**
 * Returns a lease file in dnsmasq's format: `expiry MAC address hostname client-id`, with `*` for unknown values (dnsmasq's
 * lease.c). As in Neutron, IPv4 only: a DHCPv6 lease cannot be seeded without the client's DUID.
 *
 * @param expires expiry in seconds of Unix time; 0: never.
 */
export function renderLeases(entitled: readonly Entitlement[], expires: number): string {
  return entitled
    .filter(({ version }) => version === 4)
    .map(({ mac, address }) => `${expires} ${mac} ${address} * *\n`)
    .join('');
}
