export interface KeyedQueueOptions {
  /** Keys worked on side by side. */
  readonly workers: number;
  /** One pass over a key; never runs twice at a time for one key. */
  readonly work: (key: string) => Promise<void>;
  /** Hears what a pass threw. The queue does not try again by itself. */
  readonly onError: (key: string, error: unknown) => void;
  /** Keys that may wait; default: 100 000. */
  readonly maxWaiting?: number;
}

/** Urgencies go from 0 (first) to this; others are taken for the nearest. */
const LAST_PRIORITY = 15;
/** Every so many picks the least urgent waiting key goes first, so that none waits for ever. */
const FAIRNESS = 8;

/**
 * Work by key: one pass at a time for each key, several keys side by side. A key waits at most once: what is added while it
 * waits is the same pass, what is added while its pass runs is one more pass afterwards. So a pass must look at everything
 * that is to do for its key when it starts.
 */
export class KeyedQueue {
  readonly #options: KeyedQueueOptions;
  readonly #waiting: readonly Set<string>[] = Array.from({ length: LAST_PRIORITY + 1 }, () => new Set<string>());
  /** Priority of each key that waits. */
  readonly #priorities = new Map<string, number>();
  /** Keys whose pass runs, with the priority of the pass that shall follow, if any. */
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

  /** Keys that wait or whose pass runs. */
  get size(): number {
    return this.#priorities.size + this.#running.size;
  }

  /**
   * Wants a pass over the key; the most urgent priority asked for (smaller first) counts. After `close` nothing happens.
   * Throws when `maxWaiting` keys wait and this is a new one.
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
    // Not at once: what one synchronous stretch of code adds is one pass.
    queueMicrotask(() => {
      this.#filling = false;
      this.#fill();
    });
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    if (this.#running.size === 0 && this.#priorities.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle.push(resolve);
    });
  }

  /** Drops what waits, takes nothing more, and resolves when the passes that run have ended. */
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
