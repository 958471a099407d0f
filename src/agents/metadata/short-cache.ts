interface Entry<V> {
  readonly value: Promise<V | undefined>;
  /** When its load began. */
  readonly at: number;
}

/**
 * Keeps a bounded number of loaded values for a short time; concurrent requests share one load. Neither failures nor undefined
 * are kept.
 */
export class ShortCache<V> {
  readonly #max: number;
  readonly #now: () => number;
  /** In the order of their loads. */
  readonly #entries = new Map<string, Entry<V>>();

  constructor(max: number, now: () => number = () => performance.now()) {
    this.#max = max;
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Returns a value whose load began at most `maxAgeMs` ago; otherwise loads it. */
  get(key: string, maxAgeMs: number, load: () => Promise<V | undefined>): Promise<V | undefined> {
    const known = this.#entries.get(key);
    if (known && this.#now() - known.at <= maxAgeMs) return known.value;
    const entry = { value: load(), at: this.#now() };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#max) break;
      this.#entries.delete(oldest);
    }
    const drop = () => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    entry.value.then((value) => value === undefined && drop(), drop);
    return entry.value;
  }
}
