export interface KeyedQueueOptions {
  /** Maximum number of keys processed in parallel. */
  readonly workers: number;
  /** Performs one pass over a key; never runs concurrently for one key. */
  readonly work: (key: string) => Promise<void>;
  /** Called with the error of a failed pass. The queue does not retry on its own. */
  readonly onError: (key: string, error: unknown) => void;
  /** Keys that may wait; default: 100 000. */
  readonly maxWaiting?: number;
}

/** Priorities range from 0 (first) to this; others are clamped. */
const LAST_PRIORITY = 15;
/** Every so many picks, the waiting key with the lowest priority goes first, so that none starves. */
const FAIRNESS = 8;

/**
 * Work by key: one pass at a time per key, several keys in parallel. A key waits at most once: adding it while it waits changes
 * nothing, adding it while its pass runs causes one more pass afterwards. A pass must therefore process everything pending for
 * its key when it starts.
 */
export class KeyedQueue {
  readonly #options: KeyedQueueOptions;
  readonly #waiting: readonly Set<string>[] = Array.from({ length: LAST_PRIORITY + 1 }, () => new Set<string>());
  /** Priority of each key that waits. */
  readonly #priorities = new Map<string, number>();
  /** Keys with a running pass, and the priority of the following pass, if any. */
  readonly #running = new Map<string, number | undefined>();
  readonly #whenIdle: (() => void)[] = [];
  #picks = 0;
  #closed = false;
  #filling = false;

  constructor(options: KeyedQueueOptions) {
    if (!Number.isInteger(options.workers) || options.workers < 1) {
      throw new Error(`a keyed queue needs a whole number of workers from 1 up, not ${options.workers}`);
    }
    this.#options = options;
  }

  /** Number of keys that are waiting or running. */
  get size(): number {
    return this.#priorities.size + this.#running.size;
  }

  /**
   * Requests a pass over the key; the most urgent requested priority (smallest) applies. Does nothing after `close`. Throws if
   * `maxWaiting` keys are waiting and this is a new one.
   */
  add(key: string, priority: number = LAST_PRIORITY): void {
    if (this.#closed) return;
    const urgency = Number.isFinite(priority)
      ? Math.min(Math.max(Math.trunc(priority), 0), LAST_PRIORITY)
      : LAST_PRIORITY;
    if (this.#running.has(key)) {
      this.#running.set(key, Math.min(this.#running.get(key) ?? LAST_PRIORITY, urgency));
      return;
    }
    const waiting = this.#priorities.get(key);
    if (waiting !== undefined && waiting <= urgency) return;
    const max = this.#options.maxWaiting ?? 100_000;
    if (waiting === undefined && this.#priorities.size >= max) {
      throw new Error(`${max} keys wait already; ${JSON.stringify(key)} is not taken`);
    }
    if (waiting !== undefined) this.#waiting[waiting]?.delete(key);
    this.#priorities.set(key, urgency);
    this.#waiting[urgency]?.add(key);
    if (this.#filling) return;
    this.#filling = true;
    // Deferred, so that additions by the same synchronous code share one pass.
    queueMicrotask(() => {
      this.#filling = false;
      this.#fill();
    });
  }

  /** Resolves when no key is waiting or running. */
  async idle(): Promise<void> {
    if (this.#running.size === 0 && this.#priorities.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle.push(resolve);
    });
  }

  /** Drops waiting keys, accepts no more, and resolves when the running passes have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#priorities.clear();
    for (const keys of this.#waiting) keys.clear();
    await this.idle();
  }

  #fill(): void {
    while (this.#running.size < this.#options.workers) {
      const key = this.#pick();
      if (key === undefined) return;
      this.#running.set(key, undefined);
      void this.#pass(key);
    }
  }

  #pick(): string | undefined {
    this.#picks += 1;
    const lines = this.#picks % FAIRNESS === 0 ? this.#waiting.toReversed() : this.#waiting;
    const line = lines.find((keys) => keys.size > 0);
    const key = line?.values().next().value;
    if (key !== undefined) {
      line?.delete(key);
      this.#priorities.delete(key);
    }
    return key;
  }

  async #pass(key: string): Promise<void> {
    try {
      await this.#options.work(key);
    } catch (error) {
      this.#options.onError(key, error);
    }
    const again = this.#running.get(key);
    this.#running.delete(key);
    if (again !== undefined) this.add(key, again);
    this.#fill();
    if (this.#running.size === 0 && this.#priorities.size === 0)
      for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
