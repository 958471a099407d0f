import type { Logger } from 'pino';
import { backoffDelay } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';

export interface FullSyncOptions {
  /** One full sync. Throws when the server cannot be asked. */
  readonly sync: (reasons: readonly string[]) => Promise<void>;
  /** Milliseconds from the beginning of one to that of the next at least (resync_throttle). */
  readonly throttleMs: number;
  readonly log: Logger;
}

/**
 * Runs full syncs when they are wanted: one at a time; what is wanted meanwhile is one more. One that fails is tried again until
 * it works, 1 s to 30 s apart, and at once when it is wanted for a new reason (the server answers again, say).
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

  /** Wants no more, and gives up waiting to try again. A sync under way is not waited for. */
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
          log.warn({ err: error, reasons }, 'networks cannot be synchronised; trying again until they can');
        else log.debug({ err: error, reasons, failures }, 'networks cannot be synchronised');
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
