/** Remembers recent ids with a number each: a map that forgets the oldest when it is full. */
export class RecentIds {
  readonly #max: number;
  readonly #ids = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** The number remembered with the id. */
  get(id: string): number | undefined {
    return this.#ids.get(id);
  }

  add(id: string, value = 0): void {
    this.#ids.delete(id);
    this.#ids.set(id, value);
    if (this.#ids.size <= this.#max) return;
    const oldest = this.#ids.keys().next().value;
    if (oldest !== undefined) this.#ids.delete(oldest);
  }

  delete(id: string): void {
    this.#ids.delete(id);
  }
}
