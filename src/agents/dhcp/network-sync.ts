import type { Logger } from 'pino';
import type { NetworkInfo } from '../../rpc/documents.ts';
import type { DhcpDriver } from './contract.ts';
import type { DhcpDevices } from './devices.ts';
import type { NetworkCache } from './network-cache.ts';
import type { PluginClient } from './plugin-client.ts';
import type { RecentIds } from './recent-ids.ts';
import type { Reconciler } from './reconciler.ts';

export interface NetworkSyncOptions {
  readonly plugin: PluginClient;
  readonly cache: NetworkCache;
  readonly reconciler: Reconciler;
  /** Networks that were removed from this agent, with the time on the cache's clock. */
  readonly dismissed: RecentIds;
  readonly driver: Pick<DhcpDriver, 'known'>;
  readonly devices: Pick<DhcpDevices, 'owned'>;
  /** Requests a pass over a network. */
  readonly queue: (networkId: string) => void;
  /** Number of networks whose last pass failed. */
  readonly failed: () => number;
  readonly stop: AbortSignal;
  readonly log: Logger;
}

/**
 * Compares this host with all networks that the server has scheduled to the agent, and requests a pass over each of them and over
 * those that are no longer among them. Logs when all passes are done.
 */
export class NetworkSync {
  readonly #options: NetworkSyncOptions;
  /** Networks whose passes the last sync still waits for. */
  readonly #awaited = new Set<string>();
  #began = 0;
  /** Whether networks are still to be fetched: by a running sync, or by the next one if it failed. */
  #fetching = false;

  constructor(options: NetworkSyncOptions) {
    this.#options = options;
  }

  /** Milliseconds since the last sync began. */
  get age(): number {
    return performance.now() - this.#began;
  }

  /** Throws if the server is unreachable. */
  async run(reasons: readonly string[]): Promise<void> {
    const { plugin, cache, reconciler, driver, devices, stop, log } = this.#options;
    log.info({ reasons }, 'synchronising networks');
    this.#began = performance.now();
    const began = cache.now();
    let requestedAt = began;
    const pages = plugin.activeNetworks(() => {
      requestedAt = cache.now();
    });
    this.#fetching = true;
    const [known, owned] = await Promise.all([driver.known(), devices.owned()]);
    const present = new Set([...known, ...owned]);
    const active = new Set<string>();
    // The networks of a page are processed while the next page is being fetched.
    for await (const networks of pages) {
      if (stop.aborted) return;
      for (const info of networks) {
        active.add(info.id);
        this.#adopt(info, requestedAt, present.has(info.id));
      }
    }
    for (const id of new Set([...cache.ids(), ...reconciler.ids(), ...present])) {
      if (active.has(id) || (reconciler.since(id) ?? 0) > began) continue;
      reconciler.dismiss(id, { present: present.has(id) });
      this.#await(id);
    }
    this.#fetching = false;
    this.#logIfDone();
  }

  /** A pass over the network has ended, successfully or not. */
  passed(networkId: string): void {
    if (this.#awaited.delete(networkId)) this.#logIfDone();
  }

  #adopt(info: NetworkInfo, requestedAt: number, present: boolean): void {
    const { cache, reconciler, dismissed } = this.#options;
    // Removed from the agent while the reply was in transit: the reply is outdated.
    if ((dismissed.get(info.id) ?? 0) > requestedAt) return;
    dismissed.delete(info.id);
    reconciler.adopt(info.id, { present });
    reconciler.recheck(info.id);
    reconciler.resume(info.id);
    cache.merge(info, requestedAt);
    cache.requeueReadyPorts(info.id);
    this.#await(info.id);
  }

  #await(networkId: string): void {
    this.#awaited.add(networkId);
    this.#options.queue(networkId);
  }

  #logIfDone(): void {
    if (this.#fetching || this.#awaited.size > 0) return;
    const { cache, failed, log } = this.#options;
    log.info({ ...cache.counts(), failed: failed(), ms: Math.round(this.age) }, 'networks synchronised');
  }
}
