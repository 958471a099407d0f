import type { Logger } from 'pino';
import { type InNamespace, isNotFound } from '../../linux/ip.ts';
import { listLinks } from '../../linux/links.ts';
import { BRIDGE_NAME, bridgeName, markedNetwork, markOf } from './names.ts';
import type { Wiring } from './wiring.ts';

/** Networks that the server has deleted and whose bridges may still be on the host, for a device may still be plugged in. */
export class DeletedNetworks {
  readonly #wiring: Wiring;
  readonly #mark: string;
  readonly #where: InNamespace;
  readonly #log: Logger;
  readonly #ids = new Set<string>();
  /** Networks whose bridges were in use when orphans were looked for: nobody has asked yet whether the network exists. */
  readonly #unproven = new Set<string>();

  constructor(wiring: Wiring, mark: string, where: InNamespace, log: Logger) {
    this.#wiring = wiring;
    this.#mark = mark;
    this.#where = where;
    this.#log = log;
  }

  /** Networks to see to when a device has gone. */
  get size(): number {
    return this.#ids.size + this.#unproven.size;
  }

  /** The server has a port on the network. */
  exists(networkId: string): void {
    this.#unproven.delete(networkId);
  }

  /** An id that no bridge can be named after is ignored. */
  add(networkId: string): void {
    if (BRIDGE_NAME.test(bridgeName(networkId))) this.#ids.add(networkId);
  }

  /** Removes the bridges on which no device is left; the others are tried again with the next call. */
  async removeBridges(): Promise<void> {
    for (const networkId of this.#ids) {
      try {
        if (await this.#wiring.removeNetwork(networkId)) this.#ids.delete(networkId);
      } catch (error) {
        this.#log.warn({ err: error, network: networkId }, 'the bridge of a deleted network cannot be removed');
      }
    }
  }

  /**
   * Finds bridges of networks that were deleted while nobody listened: marked by this agent, no device plugged in, and `exists` says
   * that the server does not know the network. One that has a device is left for `recheck`: the DHCP agent may be about to
   * take it away. Throws what `exists` throws.
   */
  async findOrphans(exists: (networkId: string) => Promise<boolean>): Promise<void> {
    for (const { name, alias } of await listLinks({ ...this.#where, kind: 'bridge' })) {
      const networkId = markedNetwork(alias);
      // Another agent's server may well know a network that ours does not.
      const ours = networkId !== undefined && alias === markOf(networkId, this.#mark);
      if (ours && bridgeName(networkId) === name) this.#unproven.add(networkId);
    }
    await this.recheck(exists);
  }

  /** Looks again at bridges that were in use. Throws what `exists` throws. */
  async recheck(exists: (networkId: string) => Promise<boolean>): Promise<void> {
    for (const networkId of [...this.#unproven]) {
      if (await this.#inUse(bridgeName(networkId))) continue;
      const isThere = await exists(networkId);
      if (this.#unproven.delete(networkId) && !isThere) this.add(networkId);
    }
  }

  async #inUse(bridge: string): Promise<boolean> {
    try {
      return await this.#wiring.inUse(bridge);
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
}
