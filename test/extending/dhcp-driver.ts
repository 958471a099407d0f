/**
 * An example DHCP driver, which responds from memory instead of sending packets. A real one differs in only two places, marked
 * (1) and (2): where its servers run, and how a response is encoded. docs/extending.md walks through this file.
 */

import { type NetworkAnswers, networkAnswers, shapesNetwork } from '../../src/agents/dhcp/answers/network.ts';
import { type PortAnswers, portAnswers } from '../../src/agents/dhcp/answers/port.ts';
import type { DhcpDriver } from '../../src/agents/dhcp/contract.ts';
import type { DhcpDriverKind } from '../../src/agents/dhcp/drivers/kind.ts';
import type { PortChanges, WantedNetwork } from '../../src/agents/dhcp/wanted.ts';
import type { Config } from '../../src/config/options.ts';
import type { PortDocument } from '../../src/rpc/documents.ts';

/** A served network: its answers, and those of each port. */
interface Server {
  readonly wanted: WantedNetwork;
  readonly answers: NetworkAnswers;
  readonly ports: Map<string, PortAnswers>;
  /** The few ports that affect the answers to others (routers, DHCP ports). */
  readonly shaping: Map<string, PortDocument>;
}

/** (1) What outlives the agent: processes and files for a real driver, a map here. */
export class Servers {
  readonly byNetwork = new Map<string, Server>();
  /** Drivers that watch for the end of a server. */
  readonly watchers = new Set<(networkId: string) => void>();

  /** (2) Answers a DISCOVER. */
  addressOf(networkId: string, mac: string): string | undefined {
    const ports = [...(this.byNetwork.get(networkId)?.ports.values() ?? [])];
    return ports.find((port) => port.mac === mac)?.addresses.find(({ gets }) => gets === 'lease')?.address;
  }

  kill(networkId: string): void {
    this.byNetwork.delete(networkId);
    for (const died of this.watchers) died(networkId);
  }
}

class MemoryDriver implements DhcpDriver {
  readonly #config: Config;
  readonly #servers: Servers;
  /** Networks handed to this driver, not to an earlier one: the basis of `portsChanged`. */
  readonly #served = new Set<string>();
  readonly #listeners: ((networkId: string) => void)[] = [];
  readonly #died = (networkId: string): void => {
    this.#served.delete(networkId);
    for (const listener of this.#listeners) listener(networkId);
  };

  constructor(config: Config, servers: Servers) {
    this.#config = config;
    this.#servers = servers;
    servers.watchers.add(this.#died);
  }

  /** Replaces everything: it is level-triggered, so the previous state does not matter. */
  async serve(wanted: WantedNetwork): Promise<void> {
    const { info } = wanted;
    const shaping = new Map(info.ports.filter(shapesNetwork).map((port) => [port.id, port]));
    const answers = networkAnswers(info, this.#config, { ownPortIds: wanted.dhcpPortIds ?? [wanted.dhcpPortId] });
    const ports = new Map(info.ports.map((port) => [port.id, portAnswers(port, answers)]));
    this.#servers.byNetwork.set(info.id, { wanted, answers, ports, shaping });
    this.#served.add(info.id);
  }

  /** Updates only the changed ports. Only a router or a DHCP port causes the network's answers to be computed again. */
  async portsChanged(networkId: string, { set, removed }: PortChanges): Promise<void> {
    const server = this.#servers.byNetwork.get(networkId);
    if (!server || !this.#served.has(networkId)) throw new Error(`network ${networkId} was not served before`);
    const { wanted, ports, shaping } = server;
    let reshaped = set.some(shapesNetwork);
    for (const id of [...removed, ...set.map((port) => port.id)]) {
      ports.delete(id);
      reshaped = shaping.delete(id) || reshaped;
    }
    for (const port of set) {
      ports.set(port.id, portAnswers(port, server.answers));
      if (shapesNetwork(port)) shaping.set(port.id, port);
    }
    if (!reshaped) return;
    const info = { ...wanted.info, ports: [...shaping.values()] };
    const answers = networkAnswers(info, this.#config, { ownPortIds: wanted.dhcpPortIds ?? [wanted.dhcpPortId] });
    this.#servers.byNetwork.set(networkId, { ...server, answers });
  }

  async stop(networkId: string): Promise<string | undefined> {
    this.#served.delete(networkId);
    return this.#servers.byNetwork.delete(networkId) ? `memory of ${networkId}` : undefined;
  }

  async known(): Promise<readonly string[]> {
    return [...this.#servers.byNetwork.keys()];
  }

  onDeath(listener: (networkId: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#servers.watchers.delete(this.#died);
  }
}

/** What src/agents/dhcp/drivers/registry.ts would list, selected by `dhcp_driver = memory`. */
export const memoryKind = (servers: Servers): DhcpDriverKind => ({
  name: 'memory',
  programs: {},
  create: ({ config }) => new MemoryDriver(config, servers),
  exchangeLog: (config, networkId) => `${config.DEFAULT.dhcp_confs}/${networkId}/exchange`,
  parseExchange: () => undefined,
  hostsFile: (config, networkId) => `${config.DEFAULT.dhcp_confs}/${networkId}/hosts`,
});
