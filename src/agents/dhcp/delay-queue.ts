interface Entry {
  readonly at: number;
  readonly reason: string;
  readonly timer: NodeJS.Timeout;
}

/** Networks to look at later, each at most once: of two moments the earlier counts. */
export class DelayQueue {
  readonly #entries = new Map<string, Entry>();
  readonly #due: (networkId: string, reason: string) => void;
  #closed = false;

  constructor(due: (networkId: string, reason: string) => void) {
    this.#due = due;
  }

  /** Calls back for the network in `delayMs`, with the reason. */
  put(networkId: string, delayMs: number, reason: string): void {
    const at = performance.now() + delayMs;
    const standing = this.#entries.get(networkId);
    if (this.#closed || (standing && standing.at <= at)) return;
    clearTimeout(standing?.timer);
    const timer = setTimeout(() => {
      this.#entries.delete(networkId);
      this.#due(networkId, reason);
    }, delayMs);
    this.#entries.set(networkId, { at, reason, timer });
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) clearTimeout(entry.timer);
    this.#entries.clear();
  }
}
