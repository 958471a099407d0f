import type { Logger } from 'pino';
import { dhcpDeviceId } from '../../net/dhcp-device-id.ts';
import type { PortDocument } from '../../rpc/documents.ts';
import { RemoteError } from '../../rpc/errors.ts';
import { type DhcpPortStep, findDhcpPort, planDhcpPort } from './dhcp-port.ts';
import type { NetworkCache } from './network-cache.ts';
import type { PluginClient } from './plugin-client.ts';

/** Maximum number of attempts per pass to take over reserved ports and to correct the agent's own port. */
const MAX_ADOPTIONS = 8;
const MAX_CORRECTIONS = 2;
/** Attempts to release a DHCP port; after that, it remains until the next full sync of the network finds it. */
const MAX_RELEASES = 8;

/** Consecutive failed attempts to release a network's DHCP port. */
export interface ReleaseCount {
  releaseFailures: number;
}

export interface OwnPortsOptions {
  readonly host: string;
  readonly plugin: PluginClient;
  readonly cache: NetworkCache;
  readonly log: Logger;
}

/** The agent's own DHCP ports, one on each network that it serves. The server creates, changes and releases them. */
export class OwnPorts {
  readonly #options: OwnPortsOptions;

  constructor(options: OwnPortsOptions) {
    this.#options = options;
  }

  /** Returns the port on the network that the cache knows; undefined if there is none. */
  find(networkId: string): PortDocument | undefined {
    const info = this.#options.cache.withDhcpPorts(networkId);
    return info && findDhcpPort(info, this.#deviceId(networkId));
  }

  /**
   * Creates, adopts or corrects the port until it has an address in each subnet that wants one, and returns it; undefined if the
   * network was deleted meanwhile. Throws an Error if the server does not do what it is asked.
   */
  async ensure(networkId: string): Promise<PortDocument | undefined> {
    const { cache } = this.#options;
    const tried = new Set<string>();
    for (let corrections = 0; tried.size <= MAX_ADOPTIONS; ) {
      const info = cache.withDhcpPorts(networkId);
      if (!info) return undefined;
      const step = planDhcpPort(info, this.#deviceId(networkId), tried);
      if (step.kind === 'right') return step.port;
      if (step.kind === 'adopt') tried.add(step.portId);
      else corrections += 1;
      if (corrections > MAX_CORRECTIONS) break;
      const answer = await this.#take(step);
      if (answer) cache.applyPort(answer);
      else if (step.kind !== 'adopt')
        throw new Error(
          `the server did not ${step.kind} the DHCP port of network ${networkId}: network or port gone, or no address free`,
        );
    }
    throw new Error(`network ${networkId} has no DHCP port with an address in each subnet that wants one`);
  }

  /**
   * Releases the port; resolves to whether the server has done so. Throws to be tried again, until there were too many failures.
   */
  async release(networkId: string, count: ReleaseCount): Promise<boolean> {
    const { plugin, cache, log } = this.#options;
    try {
      await plugin.releaseDhcpPort(networkId, this.#deviceId(networkId));
      count.releaseFailures = 0;
      return true;
    } catch (error) {
      count.releaseFailures += 1;
      // Any reply, even an error, is final.
      if (!(error instanceof RemoteError) && count.releaseFailures < MAX_RELEASES) throw error;
      log.warn(
        { err: error, ...cache.label(networkId) },
        'cannot release the DHCP port of a network that is no longer served',
      );
      return false;
    }
  }

  #deviceId(networkId: string): string {
    return dhcpDeviceId(this.#options.host, networkId);
  }

  async #take(step: Exclude<DhcpPortStep, { kind: 'right' }>): Promise<PortDocument | null> {
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
}
