/** Ids kept at most; at 64 messages side by side the oldest have long been dealt with. */
const MAX_IDS = 10_000;

/**
 * The messages that this process has taken, by queue and `_unique_id`: what comes a second time (redelivered after a lost
 * connection, or published twice by a sender that lost its own) is not worked on again. Bounded: the oldest is forgotten.
 */
export class RecentIds {
  readonly #max: number;
  readonly #done = new Map<string, Promise<void>>();

  constructor(max: number = MAX_IDS) {
    this.#max = max;
  }

  /** Runs the work unless the id is known; gives when the work for it, now or the first time, has ended. */
  once(
    queue: string,
    uniqueId: string,
    work: () => Promise<void>,
  ): { readonly first: boolean; readonly done: Promise<void> } {
    const key = `${queue} ${uniqueId}`;
    const known = this.#done.get(key);
    if (known) return { first: false, done: known };
    const done = work();
    this.#done.set(key, done);
    if (this.#done.size > this.#max) {
      const [oldest] = this.#done.keys();
      if (oldest !== undefined) this.#done.delete(oldest);
    }
    return { first: true, done };
  }
}
