import type { Logger } from 'pino';
import { backoffDelay } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';

export interface FullSyncOptions {
  /** Performs one full sync. Throws if the server is unreachable. */
  readonly sync: (reasons: readonly string[]) => Promise<void>;
  /** Minimum milliseconds between the starts of two syncs (resync_throttle). */
  readonly throttleMs: number;
  readonly log: Logger;
}

/**
 * Runs requested full syncs, one at a time; requests during a sync are merged into one more. A failed sync is retried until it
 * succeeds, after 1 s to 30 s, or at once if it is requested for a new reason (for example, the server is reachable again).
 */
export class FullSync {
  readonly #options: FullSyncOptions;
  readonly #reasons = new Set<string>();
  readonly #stop = new AbortController();
  #running = false;
  #wake: AbortController | undefined;

  constructor(options: FullSyncOptions) {
    this.#options = options;
  }

  request(reason: string): void {
    if (this.#stop.signal.aborted) return;
    this.#reasons.add(reason);
    this.#wake?.abort();
    if (!this.#running) void this.#run();
  }

  /** Stops further syncs and retries. Does not wait for a running sync. */
  close(): void {
    this.#stop.abort();
    this.#wake?.abort();
  }

  async #run(): Promise<void> {
    const { sync, throttleMs, log } = this.#options;
    this.#running = true;
    let failures = 0;
    while (this.#reasons.size > 0 && !this.#stop.signal.aborted) {
      const reasons = [...this.#reasons];
      this.#reasons.clear();
      const began = performance.now();
      try {
        await sync(reasons);
        failures = 0;
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        failures += 1;
        if (failures === 1)
          log.warn({ err: error, reasons }, 'cannot synchronise networks; retrying until it succeeds');
        else log.debug({ err: error, reasons, failures }, 'cannot synchronise networks');
        const wanted = this.#reasons.size > 0;
        for (const reason of reasons) this.#reasons.add(reason);
        if (!wanted) {
          this.#wake = new AbortController();
          await pause(backoffDelay(failures, { firstMs: 1_000, maxMs: 30_000 }), this.#wake.signal);
          this.#wake = undefined;
        }
      }
      await pause(Math.max(0, began + throttleMs - performance.now()), this.#stop.signal);
    }
    this.#running = false;
  }
}
