import type { NetworkFacts, NetworkInfo, PortDocument } from '../../rpc/documents.ts';
import { isSameForDhcp } from './answers/inputs.ts';
import { mayBeDhcpPort } from './dhcp-port.ts';
import { RecentIds } from './recent-ids.ts';
import type { PortChanges } from './wanted.ts';

/** Maximum number of deleted ports to remember, more than can be in transit at a time. */
const MAX_DELETED = 50_000;

/** What a notification of a port changed. */
export type PortNews =
  | { readonly outcome: 'unknown-network' | 'deleted' | 'stale' | 'unchanged' }
  /** `before`: the port as it was known. `rival`: another port of the network that has one of its addresses. */
  | { readonly outcome: 'changed'; readonly before?: PortDocument; readonly rival?: PortDocument };

interface CachedPort {
  readonly document: PortDocument;
  /** When it was received, on the cache's own clock. */
  readonly receivedAt: number;
}

interface CachedNetwork {
  facts: NetworkFacts;
  /** When `facts` was requested, on the cache's clock. */
  factsRequestedAt: number;
  readonly ports: Map<string, CachedPort>;
  /** The `ports` that are or may become an agent's own. */
  readonly dhcpPorts: Set<string>;
  /** The port of each address of a subnet. */
  readonly holders: Map<string, string>;
  /** Changed or removed ports that have not been handed to the driver yet. */
  readonly changed: Set<string>;
  /** Ports whose readiness is still to be reported to the server. */
  readonly ready: Set<string>;
  whole?: NetworkInfo;
}

/**
 * The networks as received from the server: whole documents (`get_network_info`) and single ports (notifications), in any order.
 * A port's `revision_number` determines which version is newer; an older message does not restore a deleted port. The cost of a
 * port change does not grow with its network.
 */
export class NetworkCache {
  readonly #networks = new Map<string, CachedNetwork>();
  readonly #networkOfPort = new Map<string, string>();
  readonly #networkOfSubnet = new Map<string, string>();
  readonly #deletedPorts = new RecentIds(MAX_DELETED);
  #clock = 0;

  /** Returns the current time of the cache's clock, for `merge` with a document requested from now on. */
  now(): number {
    this.#clock += 1;
    return this.#clock;
  }

  ids(): readonly string[] {
    return [...this.#networks.keys()];
  }

  has(networkId: string): boolean {
    return this.#networks.has(networkId);
  }

  networkOfSubnet(subnetId: string): string | undefined {
    return this.#networkOfSubnet.get(subnetId);
  }

  /** Returns the network without its ports: the same object until a document changes it. */
  facts(networkId: string): NetworkFacts | undefined {
    return this.#networks.get(networkId)?.facts;
  }

  /** Returns a network's id and name as logs carry them. */
  label(networkId: string): { readonly network: string; readonly name?: string } {
    const name = this.#networks.get(networkId)?.facts.name;
    return { network: networkId, ...(name ? { name } : {}) };
  }

  /** Returns the network with only the ports that are or may become an agent's own. */
  withDhcpPorts(networkId: string): NetworkInfo | undefined {
    const network = this.#networks.get(networkId);
    if (!network) return undefined;
    const ports = Array.from(network.dhcpPorts, (id) => network.ports.get(id)?.document);
    return { ...network.facts, ports: ports.filter((port) => port !== undefined) };
  }

  /** Returns the whole network, which costs a copy of the list of its ports: the same object until something changes. */
  info(networkId: string): NetworkInfo | undefined {
    const network = this.#networks.get(networkId);
    if (!network) return undefined;
    network.whole ??= { ...network.facts, ports: Array.from(network.ports.values(), (port) => port.document) };
    return network.whole;
  }

  /** Returns the ports that changed since the last call, and clears the set. */
  takeChanges(networkId: string): PortChanges {
    const network = this.#networks.get(networkId);
    const ids = [...(network?.changed ?? [])];
    network?.changed.clear();
    const documents = ids.map((id) => network?.ports.get(id)?.document);
    return {
      set: documents.filter((port) => port !== undefined),
      removed: ids.filter((_, index) => documents[index] === undefined),
    };
  }

  port(portId: string): PortDocument | undefined {
    const networkId = this.#networkOfPort.get(portId);
    return networkId === undefined ? undefined : this.#networks.get(networkId)?.ports.get(portId)?.document;
  }

  /** Returns the counts for the agent's report. */
  counts(): { readonly networks: number; readonly subnets: number; readonly ports: number } {
    return { networks: this.#networks.size, subnets: this.#networkOfSubnet.size, ports: this.#networkOfPort.size };
  }

  /**
   * Merges a whole document that was requested at `requestedAt`. Ports received since then are kept even if the document lacks them
   * (it may be older); other missing ports are removed.
   */
  merge(document: NetworkInfo, requestedAt: number): void {
    const { ports, ...facts } = document;
    let network = this.#networks.get(document.id);
    if (!network) {
      network = newNetwork(facts, requestedAt);
      this.#networks.set(document.id, network);
      this.#setFacts(network, facts);
    } else if (network.factsRequestedAt <= requestedAt) {
      network.factsRequestedAt = requestedAt;
      this.#setFacts(network, facts);
    }
    const listed = new Set(ports.map((port) => port.id));
    for (const [id, port] of network.ports)
      if (!listed.has(id) && port.receivedAt <= requestedAt) this.#dropPort(network, id);
    for (const port of ports) {
      const known = network.ports.get(port.id);
      if (this.#deletedPorts.has(port.id) || (known && !this.#corrects(port, known, requestedAt))) continue;
      this.#putPort(network, port);
      // A new revision of an active port mostly means that it became active; changes that need a new report have their own
      // notification.
      if (!known || port.status !== 'ACTIVE') network.ready.add(port.id);
    }
  }

  /** Merges a port from a notification or a reply. */
  applyPort(port: PortDocument): PortNews {
    const network = this.#networks.get(port.network_id);
    if (this.#deletedPorts.has(port.id)) return { outcome: 'deleted' };
    if (!network) return { outcome: 'unknown-network' };
    const before = network.ports.get(port.id)?.document;
    if (before && !isNewer(port, before)) {
      if (isOlder(port, before)) return { outcome: 'stale' };
      if (isSameForDhcp(port, before)) return { outcome: 'unchanged' };
    }
    const rivalId = port.fixed_ips
      .map((fixed) => network.holders.get(holderKey(fixed)))
      .find((id) => id !== undefined && id !== port.id);
    const rival = rivalId === undefined ? undefined : network.ports.get(rivalId)?.document;
    this.#putPort(network, port);
    network.ready.add(port.id);
    return { outcome: 'changed', ...(before ? { before } : {}), ...(rival ? { rival } : {}) };
  }

  /** Forgets a port for good: no older message brings it back. Returns it if it was known. */
  deletePort(portId: string): PortDocument | undefined {
    this.#deletedPorts.add(portId);
    const port = this.port(portId);
    const network = port && this.#networks.get(port.network_id);
    if (network) this.#dropPort(network, portId);
    return port;
  }

  /** Removes a network with all its ports; both may be added again. */
  deleteNetwork(networkId: string): void {
    const network = this.#networks.get(networkId);
    if (!network) return;
    for (const id of network.ports.keys()) this.#networkOfPort.delete(id);
    for (const subnet of subnetsOf(network.facts)) this.#networkOfSubnet.delete(subnet.id);
    this.#networks.delete(networkId);
  }

  /**
   * Returns the ports whose readiness must be reported, and clears them; `requeueReadyPorts` puts back those that are not
   * served.
   */
  takeReadyPorts(networkId: string): readonly string[] {
    const network = this.#networks.get(networkId);
    if (!network || network.ready.size === 0) return [];
    const ids = [...network.ready];
    network.ready.clear();
    return ids;
  }

  /** Marks the readiness of these ports as to be reported (again). Default: all ports of the network. */
  requeueReadyPorts(networkId: string, portIds?: readonly string[]): void {
    const network = this.#networks.get(networkId);
    for (const id of portIds ?? network?.ports.keys() ?? []) if (network?.ports.has(id)) network.ready.add(id);
  }

  /**
   * Returns whether a port of a whole document replaces the known one; with equal revisions, the last received one does if it
   * differs.
   */
  #corrects(port: PortDocument, known: CachedPort, requestedAt: number): boolean {
    if (isNewer(port, known.document)) return true;
    return !isOlder(port, known.document) && known.receivedAt <= requestedAt && !isSameForDhcp(port, known.document);
  }

  #setFacts(network: CachedNetwork, facts: NetworkFacts): void {
    for (const subnet of subnetsOf(network.facts)) this.#networkOfSubnet.delete(subnet.id);
    for (const subnet of subnetsOf(facts)) this.#networkOfSubnet.set(subnet.id, facts.id);
    network.facts = facts;
    delete network.whole;
  }

  #putPort(network: CachedNetwork, port: PortDocument): void {
    const elsewhere = this.#networkOfPort.get(port.id);
    if (elsewhere !== undefined && elsewhere !== port.network_id) {
      const other = this.#networks.get(elsewhere);
      if (other) this.#dropPort(other, port.id);
    }
    this.#releaseAddresses(network, port.id);
    for (const fixed of port.fixed_ips) network.holders.set(holderKey(fixed), port.id);
    network.ports.set(port.id, { document: port, receivedAt: this.now() });
    if (mayBeDhcpPort(port)) network.dhcpPorts.add(port.id);
    else network.dhcpPorts.delete(port.id);
    network.changed.add(port.id);
    this.#networkOfPort.set(port.id, port.network_id);
    delete network.whole;
  }

  #dropPort(network: CachedNetwork, portId: string): void {
    this.#releaseAddresses(network, portId);
    network.ports.delete(portId);
    network.dhcpPorts.delete(portId);
    network.changed.add(portId);
    network.ready.delete(portId);
    this.#networkOfPort.delete(portId);
    delete network.whole;
  }

  #releaseAddresses(network: CachedNetwork, portId: string): void {
    for (const fixed of network.ports.get(portId)?.document.fixed_ips ?? []) {
      // The address may belong to another port by now.
      if (network.holders.get(holderKey(fixed)) === portId) network.holders.delete(holderKey(fixed));
    }
  }
}

function newNetwork(facts: NetworkFacts, factsRequestedAt: number): CachedNetwork {
  const [ports, holders] = [new Map<string, CachedPort>(), new Map<string, string>()];
  return { facts, factsRequestedAt, ports, dhcpPorts: new Set(), holders, changed: new Set(), ready: new Set() };
}

/** Returns all subnets of a network, those of other segments (which old servers omit) too. */
const subnetsOf = ({ subnets, non_local_subnets: others }: NetworkFacts) => [...subnets, ...(others ?? [])];

function holderKey(fixed: { readonly subnet_id: string; readonly ip_address: string }): string {
  return `${fixed.subnet_id} ${fixed.ip_address}`;
}

function isNewer(port: PortDocument, than: PortDocument): boolean {
  return (
    port.revision_number !== undefined &&
    than.revision_number !== undefined &&
    port.revision_number > than.revision_number
  );
}

function isOlder(port: PortDocument, than: PortDocument): boolean {
  return (
    port.revision_number !== undefined &&
    than.revision_number !== undefined &&
    port.revision_number < than.revision_number
  );
}
