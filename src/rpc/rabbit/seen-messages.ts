/** Ids kept; with 64 concurrent messages the oldest were handled long ago. */
const MAX_IDS = 10_000;

/**
 * The messages that this process has handled, by queue and `_unique_id`: one that comes again (redelivered after a lost
 * connection, or published twice by a sender that lost its own) is not handled again. Bounded: the oldest is forgotten.
 */
export class SeenMessages {
  readonly #max: number;
  readonly #done = new Map<string, Promise<void>>();

  constructor(max: number = MAX_IDS) {
    this.#max = max;
  }

  /** Runs the work unless the id is known; `done` resolves when the work for it, now or the first time, has ended. */
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
