import type { Config } from '../../../../config/options.ts';
import type { NetworkFacts, NetworkInfo, PortDocument } from '../../../../rpc/documents.ts';
import { type NetworkAnswers, networkAnswers, shapesNetwork } from '../../answers/network.ts';
import { portAnswers } from '../../answers/port.ts';
import { type Refusal, Refusals } from '../../answers/refusals.ts';
import type { PortChanges } from '../../wanted.ts';
import { renderCommandLine } from './command-line.ts';
import { fileText, type Line, name } from './fields.ts';
import { addressKey, Holders } from './holders.ts';
import { type FileTexts, PortBlocks } from './port-blocks.ts';
import { type Entitlement, type PortLines, renderPort } from './port-lines.ts';
import { renderSubnetOptions } from './subnet-options.ts';

/** A network rendered for dnsmasq. */
export interface RenderedNetwork {
  readonly texts: FileTexts;
  /** Texts of the files, by name, put together on each access. */
  readonly host: string;
  readonly addnHosts: string;
  readonly opts: string;
  /** Number of addresses with a permitted holder. */
  readonly hosts: number;
  /** The permitted holder of each address; other leases are stale. Put together on each access. */
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

/** Addresses whose holder changed with some ports. */
export interface MovedAddresses {
  /** Those whose former holder may no longer have a lease. */
  readonly left: readonly string[];
  /** The IPv6 addresses that went from one MAC address to another. */
  readonly movedIpv6: ReadonlySet<string>;
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
  readonly #blocks = new PortBlocks((id) => this.#ports.get(id)?.lines);
  #facts: NetworkFacts;
  #ownPortIds: readonly string[] | undefined;
  #answers: NetworkAnswers;
  #subnetOpts: readonly Line[] = [];
  #commandLine: readonly string[] = [];
  #refused: readonly Refusal[] = [];

  /** Throws Refused for a network id that cannot be a folder name. */
  constructor(config: Config, info: NetworkInfo, ownPortIds?: readonly string[]) {
    this.#config = config;
    this.#facts = info;
    this.#answers = networkAnswers({ ...info, ports: [] }, config);
    this.serve(info, ownPortIds);
  }

  /** Sets the whole network. Ports that are the same objects as before, with the same answers, keep their lines. */
  serve(info: NetworkInfo, ownPortIds?: readonly string[]): void {
    const { ports, ...facts } = info;
    this.#facts = facts;
    this.#ownPortIds = ownPortIds;
    const ids = ports.map(({ id }) => id);
    const wanted = new Set(ids);
    for (const id of this.#ports.keys()) if (!wanted.has(id)) this.#remove(id);
    this.#shaping.clear();
    for (const port of ports) if (shapesNetwork(port)) this.#shaping.set(port.id, port);
    this.#answerNetwork();
    for (const port of ports) this.#set(port);
    this.#blocks.reset(ids);
  }

  /** Takes ports that changed in a network whose ports came in the order of their ids. Returns what their addresses did. */
  change({ set, removed }: PortChanges): MovedAddresses {
    const gone = [...new Set(removed)].filter((id) => this.#ports.has(id));
    const before = new Map<string, Entitlement | undefined>();
    const note = (lines: PortLines | undefined) => {
      for (const { address } of lines?.entitled ?? []) {
        const key = addressKey(address);
        if (!before.has(key)) before.set(key, this.#holders.of(key));
      }
    };
    for (const id of [...gone, ...set.map((port) => port.id)]) note(this.#ports.get(id)?.lines);
    let reshaped = false;
    for (const id of gone) {
      reshaped = this.#shaping.delete(id) || reshaped;
      this.#remove(id);
      this.#blocks.delete(id);
    }
    for (const port of set) {
      reshaped = this.#shaping.delete(port.id) || shapesNetwork(port) || reshaped;
      if (shapesNetwork(port)) this.#shaping.set(port.id, port);
      if (this.#ports.has(port.id)) this.#blocks.changed(port.id);
      else this.#blocks.add(port.id);
      this.#set(port, note);
    }
    if (reshaped) {
      this.#shaping = new Map([...this.#shaping].sort(([a], [b]) => (a < b ? -1 : 1)));
      this.#answerNetwork();
    }
    const left = [...before].filter(([address, holder]) => holder && !isSameHolder(holder, this.#holders.of(address)));
    const moved = left.filter(([address, holder]) => {
      const now = this.#holders.of(address);
      return now?.version === 6 && now.mac !== holder?.mac;
    });
    return { left: left.map(([address]) => address), movedIpv6: new Set(moved.map(([address]) => address)) };
  }

  rendered(): RenderedNetwork {
    const { entitled, refused, ...ports } = this.#blocks.texts();
    const texts = { ...ports, opts: [fileText(this.#subnetOpts), ...ports.opts] };
    return {
      texts,
      get host() {
        return texts.host.join('');
      },
      get addnHosts() {
        return texts.addnHosts.join('');
      },
      get opts() {
        return texts.opts.join('');
      },
      hosts: entitled.reduce((sum, { length }) => sum + length, 0),
      get entitled() {
        return entitled.flat();
      },
      holderOf: (address) => this.#holders.of(address),
      commandLine: this.#commandLine,
      enableDhcp: this.#answers.enableDhcp,
      enableMetadata: this.#answers.enableMetadata,
      refused: [...this.#refused, ...refused],
    };
  }

  #answerNetwork(): void {
    const ports = [...this.#shaping.values()];
    const refusals = new Refusals();
    this.#answers = networkAnswers({ ...this.#facts, ports }, this.#config, {
      ownPortIds: this.#ownPortIds,
      checkDomain: (domain) => name(domain, 'dns_domain'),
    });
    this.#subnetOpts = renderSubnetOptions(this.#answers, refusals);
    this.#commandLine = renderCommandLine(this.#answers, this.#config.DEFAULT, refusals);
    this.#refused = [...this.#answers.refused, ...refusals.list];
  }

  /** @param note called with the lines of a port before its addresses are its own. */
  #set(document: PortDocument, note: (lines: PortLines) => void = () => undefined): void {
    const { portKey: key, domain } = this.#answers;
    const known = this.#ports.get(document.id);
    if (known?.document === document && known.key === key) return;
    const mergeIpv6 = this.#config.DEFAULT.dnsmasq_enable_addr6_list;
    const lines = renderPort(portAnswers(document, this.#answers), { domain, mergeIpv6 });
    note(lines);
    if (known) this.#holders.delete(document.id, known.lines.entitled);
    this.#holders.add(document.id, lines.entitled);
    this.#ports.set(document.id, { document, key, lines });
  }

  #remove(id: string): void {
    this.#holders.delete(id, this.#ports.get(id)?.lines.entitled ?? []);
    this.#ports.delete(id);
  }
}

const isSameHolder = (one: Entitlement, two: Entitlement | undefined): boolean =>
  one.mac === two?.mac && one.clientId === two?.clientId;

/** Renders a whole network. Throws Refused only for a network id that cannot be a folder name. */
export function renderNetwork(
  info: NetworkInfo,
  config: Config,
  more: { readonly ownPortId?: string } = {},
): RenderedNetwork {
  return new NetworkLines(config, info, more.ownPortId === undefined ? undefined : [more.ownPortId]).rendered();
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
