import type { Logger } from 'pino';
import type { NetworkFacts } from '../../rpc/documents.ts';
import type { DhcpDriver } from './contract.ts';
import { deviceSpec } from './device-plan.ts';
import type { DhcpDevices } from './devices.ts';
import { wantsDhcp } from './dhcp-port.ts';
import type { NetworkCache } from './network-cache.ts';
import { OwnPorts, type ReleaseCount } from './own-ports.ts';
import type { PluginClient } from './plugin-client.ts';
import type { WantedNetwork } from './wanted.ts';

/** The state of a network besides its document. */
interface NetworkState extends ReleaseCount {
  /** Its document must be requested again. */
  refetch: boolean;
  /** It was removed from this agent, or deleted. */
  dismissed: boolean;
  /** Parts of it may exist on this host. */
  present: boolean;
  /** Passes wait, because more notifications are expected. */
  held: boolean;
  /** The device that was created or verified, as text; undefined: check it again. */
  device: string | undefined;
  /** The last hand-over to the driver; undefined: the next one is the whole network. */
  served: Served | undefined;
  /** Number of reasons to check device and server again. */
  doubts: number;
  /** When it was scheduled to this agent, on the cache's clock. */
  readonly since: number;
}

/** A hand-over of a whole network, after which only ports can change. */
interface Served {
  readonly facts: NetworkFacts;
  /** Ids of the DHCP ports. */
  readonly dhcpPorts: string;
}

export interface ReconcilerOptions {
  readonly host: string;
  /** Whether DHCP ports carry the metadata addresses (enable_isolated_metadata or force_metadata). */
  readonly metadata: boolean;
  readonly plugin: PluginClient;
  readonly cache: NetworkCache;
  readonly devices: DhcpDevices;
  readonly driver: DhcpDriver;
  /** Called with ports that are now served. */
  readonly onReady: (portIds: readonly string[]) => void;
  readonly log: Logger;
}

/**
 * Brings one network at a time to the desired state: document, the agent's own port, device, DHCP server. A pass can be
 * repeated at any time, and after any failure; correct existing state is left unchanged.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #ownPorts: OwnPorts;
  readonly #states = new Map<string, NetworkState>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#ownPorts = new OwnPorts(options);
  }

  ids(): readonly string[] {
    return [...this.#states.keys()];
  }

  /** Returns when a network was scheduled to this agent, on the cache's clock; undefined if it is not. */
  since(networkId: string): number | undefined {
    const state = this.#states.get(networkId);
    return state?.dismissed ? undefined : state?.since;
  }

  /** Adds a network of this agent. `present`: parts of it were found on this host. */
  adopt(networkId: string, options: { readonly present?: boolean } = {}): void {
    const state = this.#states.get(networkId);
    if (state && !state.dismissed) state.present ||= options.present ?? false;
    else this.#states.set(networkId, this.#newState((state?.present ?? false) || (options.present ?? false)));
  }

  /** Dismisses a network of this agent: the next pass removes it from this host. */
  dismiss(networkId: string, options: { readonly present?: boolean } = {}): void {
    const state = this.#states.get(networkId) ?? this.#newState(options.present ?? false);
    this.#states.set(networkId, state);
    state.present ||= options.present ?? false;
    state.dismissed = true;
    state.held = false;
    this.#options.cache.deleteNetwork(networkId);
  }

  /** Makes the next pass request the network's document. */
  refetch(networkId: string): void {
    this.adopt(networkId);
    const state = this.#states.get(networkId);
    if (state) state.refetch = true;
  }

  /** Makes the next pass check the device. */
  recheck(networkId: string): void {
    const state = this.#states.get(networkId);
    if (!state) return;
    state.device = undefined;
    state.served = undefined;
    state.doubts += 1;
  }

  /** Makes the next pass hand the whole network to the driver. */
  serveWhole(networkId: string): void {
    const state = this.#states.get(networkId);
    if (!state) return;
    state.served = undefined;
    state.doubts += 1;
  }

  /** Suspends passes until `resume`, unless the network is dismissed; after that, they request the document first. */
  hold(networkId: string): void {
    const state = this.#states.get(networkId);
    if (!state) return;
    state.held = true;
    state.refetch = true;
  }

  resume(networkId: string): void {
    const state = this.#states.get(networkId);
    if (state) state.held = false;
  }

  /** Returns whether the network has any state or pending work. */
  has(networkId: string): boolean {
    return this.#states.has(networkId);
  }

  isPresent(networkId: string): boolean {
    return this.#states.get(networkId)?.present ?? false;
  }

  /** Returns for how many milliseconds more changed ports should be collected; 0 if more than ports may have changed. */
  restMs(networkId: string): number {
    const { cache, driver } = this.#options;
    const state = this.#states.get(networkId);
    if (!state?.served || !state.device || state.dismissed || state.refetch || state.held) return 0;
    return cache.facts(networkId) === state.served.facts ? (driver.restMs?.(networkId) ?? 0) : 0;
  }

  /** Performs one pass. Does as much as possible, then throws the error, for a retry. */
  async pass(networkId: string): Promise<void> {
    const { cache } = this.#options;
    const state = this.#states.get(networkId);
    if (!state || (state.held && !state.dismissed)) return;
    let trouble: unknown;
    if (state.refetch && !state.dismissed) {
      trouble = await this.#fetch(networkId, state).catch((error: unknown) => error);
      // If the server is unreachable, the known state can still be served.
      if (trouble !== undefined && !cache.has(networkId)) throw trouble;
    }
    const facts = cache.facts(networkId);
    if (!state.dismissed && facts && wantsDhcp(facts)) await this.#serve(networkId, state);
    else await this.#disable(networkId, state);
    if (trouble !== undefined) throw trouble;
  }

  async #fetch(networkId: string, state: NetworkState): Promise<void> {
    const { plugin, cache } = this.#options;
    state.refetch = false;
    const requestedAt = cache.now();
    try {
      const info = await plugin.getNetworkInfo(networkId);
      if (state.dismissed) return;
      if (info) cache.merge(info, requestedAt);
      else this.dismiss(networkId);
    } catch (error) {
      state.refetch = true;
      throw error;
    }
  }

  async #serve(networkId: string, state: NetworkState): Promise<void> {
    const { cache, devices, metadata, onReady } = this.#options;
    state.present = true;
    const own = await this.#ownPorts.ensure(networkId).catch((error: unknown) => {
      // The document may be outdated.
      state.refetch = true;
      throw error;
    });
    const [first] = own;
    if (!first) return;
    const specs = own.map(({ info, port }) => deviceSpec(info, port, { metadata, leadsOut: port === first.port }));
    const wanted = JSON.stringify(specs);
    if (state.device !== wanted) {
      const doubts = state.doubts;
      state.device = undefined;
      state.served = undefined;
      const names = specs.map(({ device }) => device);
      for (const spec of specs)
        await devices.ensure(
          spec,
          names.filter((name) => name !== spec.device),
        );
      if (state.doubts === doubts) state.device = wanted;
    }
    // Notifications may have arrived while this pass waited: use the newest state. Removals have requested another pass.
    if (!cache.has(networkId) || own.some(({ port }) => !cache.port(port.id))) return;
    const ready = cache.takeReadyPorts(networkId);
    try {
      const { namespace, device } = deviceSpec(first.info, first.port, { metadata });
      const dhcpPortIds = own.map(({ port }) => port.id);
      await this.#handOver(networkId, state, { namespace, device, dhcpPortId: first.port.id, dhcpPortIds });
    } catch (error) {
      cache.requeueReadyPorts(networkId, ready);
      state.device = undefined;
      throw error;
    }
    onReady(ready);
  }

  /** Hands the changed ports to the driver, or the whole network if anything else changed or the last hand-over failed. */
  async #handOver(
    networkId: string,
    state: NetworkState,
    where: Omit<WantedNetwork, 'info'> & { readonly dhcpPortIds: readonly string[] },
  ): Promise<void> {
    const { cache, driver } = this.#options;
    const before = state.served;
    const facts = cache.facts(networkId);
    const changes = cache.takeChanges(networkId);
    state.served = undefined;
    const doubts = state.doubts;
    const dhcpPorts = where.dhcpPortIds.join();
    if (facts && before?.facts === facts && before.dhcpPorts === dhcpPorts) {
      if (changes.set.length + changes.removed.length > 0) await driver.portsChanged(networkId, changes);
    } else {
      const info = cache.info(networkId);
      if (info) await driver.serve({ info, ...where });
    }
    if (facts && state.doubts === doubts) state.served = { facts, dhcpPorts };
  }

  async #disable(networkId: string, state: NetworkState): Promise<void> {
    const { driver, devices, cache } = this.#options;
    const own = this.#ownPorts.find(networkId);
    if (state.present || own.length > 0) {
      state.device = undefined;
      state.served = undefined;
      await driver.stop(networkId);
      await devices.remove(networkId);
      const released = await this.#ownPorts.release(networkId, state);
      if (released) for (const { id } of own) cache.deletePort(id);
      state.present = false;
    }
    if (state.dismissed && this.#states.get(networkId) === state) this.#states.delete(networkId);
  }

  #newState(present: boolean): NetworkState {
    return {
      refetch: false,
      dismissed: false,
      present,
      held: false,
      device: undefined,
      served: undefined,
      doubts: 0,
      since: this.#options.cache.now(),
      releaseFailures: 0,
    };
  }
}
