import type { Logger } from 'pino';
import { dhcpDeviceId } from '../../net/dhcp-device-id.ts';
import type { NetworkInfo, PortDocument } from '../../rpc/documents.ts';
import { RemoteError } from '../../rpc/errors.ts';
import { type DhcpPart, dhcpParts, ownDhcpPorts } from './dhcp-parts.ts';
import { type DhcpPortStep, planDhcpPort } from './dhcp-port.ts';
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

/** A DHCP port of the agent, and the network as seen from there. */
export interface OwnPort {
  readonly port: PortDocument;
  readonly info: NetworkInfo;
}

/** The agent's own DHCP ports, one on each network that it serves (several on segments of one, see `dhcpParts`). The server creates, changes and releases them. */
export class OwnPorts {
  readonly #options: OwnPortsOptions;
  /** Names of ports other than that on the whole network, which are released although the cache has forgotten the network. */
  readonly #further = new Map<string, readonly string[]>();

  constructor(options: OwnPortsOptions) {
    this.#options = options;
  }

  /** Returns the ports on the network that the cache knows. */
  find(networkId: string): readonly PortDocument[] {
    const info = this.#options.cache.withDhcpPorts(networkId);
    return info ? ownDhcpPorts(info, this.#deviceId(networkId)) : [];
  }

  /**
   * Creates, adopts or corrects the ports until they have an address in each subnet that wants one, one port for each part of the
   * network; returns them with their parts, none if the network was deleted meanwhile. Throws an Error if the server does not do what
   * it is asked.
   */
  async ensure(networkId: string): Promise<readonly OwnPort[]> {
    const { cache, plugin } = this.#options;
    const base = this.#deviceId(networkId);
    const right: OwnPort[] = [];
    const count = this.#parts(networkId).length;
    for (let at = 0; at < count; at++) {
      const own = await this.#ensurePart(networkId, at);
      if (!own) return [];
      right.push(own);
    }
    const further = right.map(({ port }) => port.device_id).filter((name) => name !== base);
    if (further.length > 0) this.#further.set(networkId, further);
    else this.#further.delete(networkId);
    for (const { id, device_id } of this.find(networkId)) {
      if (device_id === base || right.some(({ port }) => port.id === id)) continue;
      // Of a segment that the host no longer reaches.
      await plugin.releaseDhcpPort(networkId, device_id);
      cache.deletePort(id);
    }
    return right;
  }

  #parts(networkId: string): readonly DhcpPart[] {
    const info = this.#options.cache.withDhcpPorts(networkId);
    return info ? dhcpParts(info, this.#deviceId(networkId)) : [];
  }

  async #ensurePart(networkId: string, at: number): Promise<OwnPort | undefined> {
    const { cache } = this.#options;
    const tried = new Set<string>();
    for (let corrections = 0; tried.size <= MAX_ADOPTIONS; ) {
      const part = this.#parts(networkId)[at];
      if (!part) return undefined;
      const step = planDhcpPort(part.info, part.deviceId, tried);
      if (step.kind === 'right') return { port: step.port, info: part.info };
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
   * Releases the ports; resolves to whether the server has done so. Throws to be tried again, until there were too many failures.
   */
  async release(networkId: string, count: ReleaseCount): Promise<boolean> {
    const { plugin, cache, log } = this.#options;
    try {
      const known = [...(this.#further.get(networkId) ?? []), ...this.find(networkId).map((port) => port.device_id)];
      for (const deviceId of new Set([this.#deviceId(networkId), ...known]))
        await plugin.releaseDhcpPort(networkId, deviceId);
      this.#further.delete(networkId);
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
