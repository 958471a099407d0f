/** One message in transit. `text`: the arguments as JSON, so that sender and receivers do not share objects. */
export interface Message {
  readonly method: string;
  readonly version: string;
  readonly text: string;
  /** Calls only: receives the result as JSON, or the failure. */
  readonly answer?: (outcome: { readonly result: string } | { readonly failure: unknown }) => void;
}

/** What consumes queues: a server, which runs a limited number of handlers concurrently. */
export interface Consumer {
  readonly free: number;
  take(message: Message): void;
}

interface Link {
  readonly message: Message;
  before: Link | undefined;
  after: Link | undefined;
}

/**
 * A first-in first-out queue with competing consumers, served in turn. A linked list, because calls that time out are removed
 * from the middle; every operation is O(1) in its length.
 */
export class Queue {
  readonly name: string;
  readonly consumers: Consumer[] = [];
  size = 0;
  #first: Link | undefined;
  #last: Link | undefined;
  #turn = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Appends a message; returns what removes it again if it still waits. */
  push(message: Message): () => void {
    const link: Link = { message, before: this.#last, after: undefined };
    if (this.#last) this.#last.after = link;
    else this.#first = link;
    this.#last = link;
    this.size += 1;
    return () => this.#unlink(link);
  }

  /** Delivers up to `most` messages, oldest first, to consumers in turn; returns how many. */
  handOver(most: number): number {
    for (let count = 0; count < most; count += 1) {
      const link = this.#first;
      const consumer = link && this.#nextFree();
      if (!consumer) return count;
      this.#unlink(link);
      consumer.take(link.message);
    }
    return most;
  }

  /** Drops the casts that wait; calls stay until they time out. Returns how many were dropped. */
  dropCasts(): number {
    let dropped = 0;
    for (let link = this.#first; link; link = link.after) {
      if (link.message.answer) continue;
      this.#unlink(link);
      dropped += 1;
    }
    return dropped;
  }

  #nextFree(): Consumer | undefined {
    for (let tried = 0; tried < this.consumers.length; tried += 1) {
      const consumer = this.consumers[this.#turn % this.consumers.length];
      this.#turn += 1;
      if (consumer && consumer.free > 0) return consumer;
    }
    return undefined;
  }

  #unlink(link: Link): void {
    // Removed already: neither its neighbours nor the ends of the queue refer to it any more.
    if (link !== this.#first && link.before?.after !== link) return;
    if (link.before) link.before.after = link.after;
    else this.#first = link.after;
    if (link.after) link.after.before = link.before;
    else this.#last = link.before;
    link.before = undefined;
    this.size -= 1;
  }
}
