import type { Logger } from 'pino';
import type { L2Driver } from './contract.ts';

/** Networks that the server has deleted and whose parts may still be on the host, because a device is still wired to them. */
export class DeletedNetworks {
  readonly #driver: Pick<L2Driver, 'networks' | 'inUse' | 'removeNetwork'>;
  readonly #log: Logger;
  readonly #ids = new Set<string>();
  /** Networks that were in use during the search for orphans: the server has not been asked yet whether they exist. */
  readonly #unproven = new Set<string>();

  constructor(driver: Pick<L2Driver, 'networks' | 'inUse' | 'removeNetwork'>, log: Logger) {
    this.#driver = driver;
    this.#log = log;
  }

  /** Networks to check again when a device disappears. */
  get size(): number {
    return this.#ids.size + this.#unproven.size;
  }

  /** The server has a port on the network. */
  exists(networkId: string): void {
    this.#unproven.delete(networkId);
  }

  add(networkId: string): void {
    this.#ids.add(networkId);
  }

  /** Removes the networks to which no device is wired; the others are tried again with the next call. */
  async remove(): Promise<void> {
    for (const networkId of this.#ids) {
      try {
        if (await this.#driver.removeNetwork(networkId)) this.#ids.delete(networkId);
      } catch (error) {
        this.#log.warn(
          { err: error, network: networkId },
          'cannot remove a deleted network from this host; retrying when a device disappears',
        );
      }
    }
  }

  /**
   * Finds networks that were deleted while no notification was received: on this host, with no device wired to them, and
   * unknown to the server (`exists`). One that has a device is left for `recheck`: the DHCP agent may be about to remove it.
   * Throws what `exists` throws.
   */
  async findOrphans(exists: (networkId: string) => Promise<boolean>): Promise<void> {
    for (const networkId of await this.#driver.networks()) this.#unproven.add(networkId);
    await this.recheck(exists);
  }

  /** Looks again at networks that were in use. Throws what `exists` throws. */
  async recheck(exists: (networkId: string) => Promise<boolean>): Promise<void> {
    for (const networkId of [...this.#unproven]) {
      if (await this.#driver.inUse(networkId)) continue;
      const isKnown = await exists(networkId);
      if (this.#unproven.delete(networkId) && !isKnown) this.add(networkId);
    }
  }
}
