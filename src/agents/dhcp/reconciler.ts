import type { Logger } from 'pino';
import { dhcpDeviceId } from '../../net/dhcp-device-id.ts';
import type { NetworkFacts, PortDocument } from '../../rpc/documents.ts';
import { RemoteError } from '../../rpc/errors.ts';
import type { DhcpDriver, WantedNetwork } from './contract.ts';
import { deviceSpec } from './device-plan.ts';
import type { DhcpDevices } from './devices.ts';
import { type DhcpPortStep, findDhcpPort, planDhcpPort, wantsDhcp } from './dhcp-port.ts';
import type { NetworkCache } from './network-cache.ts';
import type { PluginClient } from './plugin-client.ts';

/** What is known of a network beside its document. */
interface NetworkState {
  /** Its document is to be asked for again. */
  refetch: boolean;
  /** It is not this agent's any more, or deleted. */
  dismissed: boolean;
  /** Something of it may be on this host. */
  present: boolean;
  /** Nothing is to be done for it yet: the server is about to tell more. */
  held: boolean;
  /** The device that was made or found right, as text; undefined: look again. */
  device: string | undefined;
  /** What the driver was handed last; undefined: it gets the whole network, whatever changed. */
  served: Served | undefined;
  /** Counts the reasons to look at device and server again. */
  doubts: number;
  /** When it became this agent's, on the cache's clock. */
  readonly since: number;
  releaseFailures: number;
}

/** A hand-over of a whole network, after which ports alone can change. */
interface Served {
  readonly facts: NetworkFacts;
  readonly dhcpPortId: string;
}

/** Reserved ports to try to take over, and corrections of the own port, in one pass. */
const MAX_ADOPTIONS = 8;
const MAX_CORRECTIONS = 2;
/** Tries to release a DHCP port; then the server keeps it until the next full sync of the network finds it. */
const MAX_RELEASES = 8;

export interface ReconcilerOptions {
  readonly host: string;
  /** Whether DHCP ports carry the metadata addresses (enable_isolated_metadata or force_metadata). */
  readonly metadata: boolean;
  readonly plugin: PluginClient;
  readonly cache: NetworkCache;
  readonly devices: DhcpDevices;
  readonly driver: DhcpDriver;
  /** Hears of ports that are served now. */
  readonly onReady: (portIds: readonly string[]) => void;
  readonly log: Logger;
}

/**
 * Brings one network at a time from what there is to what the server wants: document, the agent's own port, device, DHCP server.
 * A pass may be repeated at any time, and after any failure; what is right already is left alone.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #states = new Map<string, NetworkState>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  ids(): readonly string[] {
    return [...this.#states.keys()];
  }

  /** The moment on the cache's clock at which a network became this agent's; undefined when it is not. */
  since(networkId: string): number | undefined {
    const state = this.#states.get(networkId);
    return state?.dismissed ? undefined : state?.since;
  }

  /** The network is this agent's. `present`: something of it was found on this host. */
  adopt(networkId: string, options: { readonly present?: boolean } = {}): void {
    const state = this.#states.get(networkId);
    if (state && !state.dismissed) state.present ||= options.present ?? false;
    else this.#states.set(networkId, this.#newState((state?.present ?? false) || (options.present ?? false)));
  }

  /** The network is not this agent's any more: the next pass removes what there is of it. */
  dismiss(networkId: string, options: { readonly present?: boolean } = {}): void {
    const state = this.#states.get(networkId) ?? this.#newState(options.present ?? false);
    this.#states.set(networkId, state);
    state.present ||= options.present ?? false;
    state.dismissed = true;
    state.held = false;
    this.#options.cache.deleteNetwork(networkId);
  }

  /** The next pass asks for the network's document. */
  refetch(networkId: string): void {
    this.adopt(networkId);
    const state = this.#states.get(networkId);
    if (state) state.refetch = true;
  }

  /** The next pass looks whether the device is right. */
  recheck(networkId: string): void {
    const state = this.#states.get(networkId);
    if (!state) return;
    state.device = undefined;
    state.served = undefined;
    state.doubts += 1;
  }

  /** The next pass hands the driver the whole network. */
  serveWhole(networkId: string): void {
    const state = this.#states.get(networkId);
    if (!state) return;
    state.served = undefined;
    state.doubts += 1;
  }

  /** Passes do nothing, unless the network is dismissed, until `resume`; then they ask for the document first. */
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

  /** Whether there is anything to do or to know of the network. */
  has(networkId: string): boolean {
    return this.#states.has(networkId);
  }

  isPresent(networkId: string): boolean {
    return this.#states.get(networkId)?.present ?? false;
  }

  /** One pass. Throws what went wrong, to be tried again; what could be done is done. */
  async pass(networkId: string): Promise<void> {
    const { cache } = this.#options;
    const state = this.#states.get(networkId);
    if (!state || (state.held && !state.dismissed)) return;
    let trouble: unknown;
    if (state.refetch && !state.dismissed) {
      trouble = await this.#fetch(networkId, state).catch((error: unknown) => error);
      // With the server out of reach, what is known already can be served.
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
    const asked = cache.now();
    try {
      const info = await plugin.getNetworkInfo(networkId);
      if (state.dismissed) return;
      if (info) cache.merge(info, asked);
      else this.dismiss(networkId);
    } catch (error) {
      state.refetch = true;
      throw error;
    }
  }

  async #serve(networkId: string, state: NetworkState): Promise<void> {
    const { cache, devices, metadata, onReady } = this.#options;
    state.present = true;
    const port = await this.#ensurePort(networkId, state);
    const known = cache.withDhcpPorts(networkId);
    if (!port || !known) return;
    const spec = deviceSpec(known, port, { metadata });
    const wanted = JSON.stringify(spec);
    if (state.device !== wanted) {
      const doubts = state.doubts;
      state.device = undefined;
      state.served = undefined;
      await devices.ensure(spec);
      if (state.doubts === doubts) state.device = wanted;
    }
    // Notifications came while this pass waited: the newest counts. Whoever took the network or its port away wants another pass.
    if (!cache.has(networkId) || !cache.port(port.id)) return;
    const ready = cache.takeReadyPorts(networkId);
    try {
      await this.#handOver(networkId, state, { namespace: spec.namespace, device: spec.device, dhcpPortId: port.id });
    } catch (error) {
      cache.requeueReadyPorts(networkId, ready);
      state.device = undefined;
      throw error;
    }
    onReady(ready);
  }

  /** Hands the driver the ports that changed, or the whole network when anything else did or the last hand-over failed. */
  async #handOver(networkId: string, state: NetworkState, where: Omit<WantedNetwork, 'info'>): Promise<void> {
    const { cache, driver } = this.#options;
    const before = state.served;
    const facts = cache.facts(networkId);
    const changes = cache.takeChanges(networkId);
    state.served = undefined;
    const doubts = state.doubts;
    if (facts && before?.facts === facts && before.dhcpPortId === where.dhcpPortId) {
      if (changes.set.length + changes.removed.length > 0) await driver.portsChanged(networkId, changes);
    } else {
      const info = cache.info(networkId);
      if (info) await driver.serve({ info, ...where });
    }
    if (facts && state.doubts === doubts) state.served = { facts, dhcpPortId: where.dhcpPortId };
  }

  /** undefined: the network went meanwhile. */
  async #ensurePort(networkId: string, state: NetworkState): Promise<PortDocument | undefined> {
    const { cache, host } = this.#options;
    const deviceId = dhcpDeviceId(host, networkId);
    const tried = new Set<string>();
    for (let corrections = 0; tried.size <= MAX_ADOPTIONS; ) {
      const info = cache.withDhcpPorts(networkId);
      if (!info) return undefined;
      const step = planDhcpPort(info, deviceId, tried);
      if (step.kind === 'right') return step.port;
      if (step.kind === 'adopt') tried.add(step.portId);
      else corrections += 1;
      if (corrections > MAX_CORRECTIONS) break;
      const answer = await this.#takeStep(step);
      if (answer) cache.applyPort(answer);
      else if (step.kind !== 'adopt') {
        state.refetch = true;
        throw new Error(
          `the server did not ${step.kind} the DHCP port of network ${networkId}: network or port gone, or no address free`,
        );
      }
    }
    state.refetch = true;
    throw new Error(`network ${networkId} has no DHCP port with an address in each subnet that wants one`);
  }

  async #takeStep(step: Exclude<DhcpPortStep, { kind: 'right' }>): Promise<PortDocument | null> {
    const { plugin } = this.#options;
    if (step.kind === 'create') return plugin.createDhcpPort(step.body);
    try {
      return await plugin.updateDhcpPort(step.portId, step.body);
    } catch (error) {
      // Another agent took the reserved port first.
      if (step.kind === 'adopt' && error instanceof RemoteError && error.remoteClass === 'DhcpPortInUse') return null;
      throw error;
    }
  }

  async #disable(networkId: string, state: NetworkState): Promise<void> {
    const { driver, devices, cache, host } = this.#options;
    const info = cache.withDhcpPorts(networkId);
    const own = info && findDhcpPort(info, dhcpDeviceId(host, networkId));
    if (state.present || own) {
      state.device = undefined;
      state.served = undefined;
      await driver.stop(networkId);
      await devices.remove(networkId);
      const released = await this.#release(networkId, state);
      if (own && released) cache.deletePort(own.id);
      state.present = false;
    }
    if (state.dismissed && this.#states.get(networkId) === state) this.#states.delete(networkId);
  }

  /** Resolves to whether the server has released the port. */
  async #release(networkId: string, state: NetworkState): Promise<boolean> {
    const { plugin, host, cache, log } = this.#options;
    try {
      await plugin.releaseDhcpPort(networkId, dhcpDeviceId(host, networkId));
      state.releaseFailures = 0;
      return true;
    } catch (error) {
      state.releaseFailures += 1;
      // An answer, even a refusal, is the server's last word.
      if (!(error instanceof RemoteError) && state.releaseFailures < MAX_RELEASES) throw error;
      log.warn(
        { err: error, ...cache.label(networkId) },
        'the DHCP port of a network that is served no more could not be released',
      );
      return false;
    }
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
