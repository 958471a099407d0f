import type { NetworkInfo, PortDocument } from '../../rpc/documents.ts';
import { RecentIds } from './recent-ids.ts';

/** Deleted ports to remember: more than can be on their way at a time. */
const MAX_DELETED = 50_000;

/** What became of a port that a notification told of. */
export type PortNews =
  | { readonly outcome: 'unknown-network' | 'deleted' | 'stale' | 'unchanged' }
  /** `before`: the port as it was known. `rival`: another port of the network that has one of its addresses. */
  | { readonly outcome: 'changed'; readonly before?: PortDocument; readonly rival?: PortDocument };

interface CachedPort {
  readonly document: PortDocument;
  /** When it was learnt, on the cache's own clock. */
  readonly learnt: number;
}

interface CachedNetwork {
  info: Omit<NetworkInfo, 'ports'>;
  /** The moment on the cache's clock at which `info` was asked for. */
  infoAsked: number;
  readonly ports: Map<string, CachedPort>;
  /** Which port has an address of a subnet. */
  readonly holders: Map<string, string>;
  /** Ports whose readiness the server has not been told of. */
  readonly untold: Set<string>;
  whole?: NetworkInfo;
}

/**
 * What the server has said of networks: whole documents (`get_network_info`) and single ports (notifications), in whatever
 * order they came. A port's `revision_number` says which is newer; what was deleted does not come back with an older message.
 * A change of a port costs the same however many ports its network has.
 */
export class NetworkCache {
  readonly #networks = new Map<string, CachedNetwork>();
  readonly #networkOfPort = new Map<string, string>();
  readonly #networkOfSubnet = new Map<string, string>();
  readonly #deletedPorts = new RecentIds(MAX_DELETED);
  #clock = 0;

  /** The moment now, to be handed to `merge` with a document asked for from now on. */
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

  networkOfPort(portId: string): string | undefined {
    return this.#networkOfPort.get(portId);
  }

  networkOfSubnet(subnetId: string): string | undefined {
    return this.#networkOfSubnet.get(subnetId);
  }

  /** The network as it is known now: the same object as long as nothing changed, and so are its ports. */
  info(networkId: string): NetworkInfo | undefined {
    const network = this.#networks.get(networkId);
    if (!network) return undefined;
    network.whole ??= { ...network.info, ports: Array.from(network.ports.values(), (port) => port.document) };
    return network.whole;
  }

  port(portId: string): PortDocument | undefined {
    const networkId = this.#networkOfPort.get(portId);
    return networkId === undefined ? undefined : this.#networks.get(networkId)?.ports.get(portId)?.document;
  }

  /** For the agent's report. */
  counts(): { readonly networks: number; readonly subnets: number; readonly ports: number } {
    return { networks: this.#networks.size, subnets: this.#networkOfSubnet.size, ports: this.#networkOfPort.size };
  }

  /**
   * Takes a whole document that was asked for at `asked`. Ports learnt since then are kept although the document lacks them
   * (it may have been written before they came); others that it lacks are gone.
   */
  merge(document: NetworkInfo, asked: number): void {
    const { ports, ...info } = document;
    let network = this.#networks.get(document.id);
    if (!network) {
      network = { info, infoAsked: asked, ports: new Map(), holders: new Map(), untold: new Set() };
      this.#networks.set(document.id, network);
      this.#setInfo(network, info);
    } else if (network.infoAsked <= asked) {
      network.infoAsked = asked;
      this.#setInfo(network, info);
    }
    const told = new Set(ports.map((port) => port.id));
    for (const [id, port] of network.ports) if (!told.has(id) && port.learnt <= asked) this.#dropPort(network, id);
    for (const port of ports) {
      const known = network.ports.get(port.id);
      if (this.#deletedPorts.has(port.id) || (known && !this.#corrects(port, known, asked))) continue;
      this.#putPort(network, port);
      // A new revision of an active port is mostly its becoming active: whoever needs it told again also notifies of it.
      if (!known || port.status !== 'ACTIVE') network.untold.add(port.id);
    }
  }

  /** Takes a port out of a notification or an answer. */
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
    network.untold.add(port.id);
    return { outcome: 'changed', ...(before ? { before } : {}), ...(rival ? { rival } : {}) };
  }

  /** Forgets a port for good: no older message brings it back. Gives it if it was known. */
  deletePort(portId: string): PortDocument | undefined {
    this.#deletedPorts.add(portId);
    const port = this.port(portId);
    const network = port && this.#networks.get(port.network_id);
    if (network) this.#dropPort(network, portId);
    return port;
  }

  /** Forgets a network with all its ports, which may come again with it. */
  deleteNetwork(networkId: string): void {
    const network = this.#networks.get(networkId);
    if (!network) return;
    for (const id of network.ports.keys()) this.#networkOfPort.delete(id);
    for (const subnet of network.info.subnets) this.#networkOfSubnet.delete(subnet.id);
    this.#networks.delete(networkId);
  }

  /** Takes the ports whose readiness is to be told out of the book; `oweTelling` puts back what could not be done. */
  takeUntold(networkId: string): readonly string[] {
    const network = this.#networks.get(networkId);
    if (!network || network.untold.size === 0) return [];
    const ids = [...network.untold];
    network.untold.clear();
    return ids;
  }

  /** The server is to be told (again) of these ports' readiness, of all ports of the network unless named. */
  oweTelling(networkId: string, portIds?: readonly string[]): void {
    const network = this.#networks.get(networkId);
    for (const id of portIds ?? network?.ports.keys() ?? []) if (network?.ports.has(id)) network.untold.add(id);
  }

  /** Whether a port of a whole document is better than the known one; of one revision, the one learnt last that differs is. */
  #corrects(port: PortDocument, known: CachedPort, asked: number): boolean {
    if (isNewer(port, known.document)) return true;
    return !isOlder(port, known.document) && known.learnt <= asked && !isSameForDhcp(port, known.document);
  }

  #setInfo(network: CachedNetwork, info: Omit<NetworkInfo, 'ports'>): void {
    for (const subnet of network.info.subnets) this.#networkOfSubnet.delete(subnet.id);
    for (const subnet of info.subnets) this.#networkOfSubnet.set(subnet.id, info.id);
    network.info = info;
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
    network.ports.set(port.id, { document: port, learnt: this.now() });
    this.#networkOfPort.set(port.id, port.network_id);
    delete network.whole;
  }

  #dropPort(network: CachedNetwork, portId: string): void {
    this.#releaseAddresses(network, portId);
    network.ports.delete(portId);
    network.untold.delete(portId);
    this.#networkOfPort.delete(portId);
    delete network.whole;
  }

  #releaseAddresses(network: CachedNetwork, portId: string): void {
    for (const fixed of network.ports.get(portId)?.document.fixed_ips ?? []) {
      // The address may be another port's by now.
      if (network.holders.get(holderKey(fixed)) === portId) network.holders.delete(holderKey(fixed));
    }
  }
}

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

/** Whether two documents of one revision are the same to a DHCP server; the ways in which they are sent differ in the rest. */
function isSameForDhcp(one: PortDocument, two: PortDocument): boolean {
  const essence = (port: PortDocument) =>
    JSON.stringify([
      port.mac_address,
      port.admin_state_up,
      port.device_id,
      port.device_owner,
      port.fixed_ips.map((fixed) => [fixed.subnet_id, fixed.ip_address]),
      (port.dns_assignment ?? []).map((name) => [name.ip_address, name.hostname, name.fqdn]),
      (port.extra_dhcp_opts ?? []).map((option) => [option.opt_name, option.opt_value, option.ip_version]),
    ]);
  return essence(one) === essence(two);
}
