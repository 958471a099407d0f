import { backoffDelay } from '../../time/backoff.ts';

/** Pauses between requests for a device: a port may be created seconds after its device, or never. */
const AGAIN = { firstMs: 1_000, maxMs: 60_000 };

/** Devices whose details must be requested from the server, at once or after a pause; each name once. */
export class PendingDevices {
  readonly #onDue: () => void;
  /** When each name is due, on the clock of performance.now(). */
  readonly #due = new Map<string, number>();
  /** How often in a row each name was delayed. */
  readonly #failures = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #closed = false;

  /** `onDue` is called when `take` would return something that it would not have returned before. */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** Something has changed: due at once, and the next pause is a short one again. */
  now(name: string): void {
    if (this.#closed) return;
    this.#failures.delete(name);
    this.#due.set(name, 0);
    this.#onDue();
  }

  /** Nothing could be done: due again after a pause that doubles each time. */
  later(name: string): void {
    // What changed meanwhile is not delayed.
    if (this.#due.has(name) || this.#closed) return;
    const failures = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, failures);
    const at = performance.now() + backoffDelay(failures, AGAIN);
    this.#due.set(name, at);
    this.#wakeAt(at);
  }

  /** The device is as wanted. */
  done(name: string): void {
    this.#failures.delete(name);
  }

  /** Removes a device that has disappeared. */
  drop(name: string): void {
    this.#due.delete(name);
    this.#failures.delete(name);
  }

  /** Takes out and returns up to `most` names that are due. */
  take(most: number): readonly string[] {
    const now = performance.now();
    const names: string[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const [name, at] of this.#due) {
      if (at > now) next = Math.min(next, at);
      else if (names.length < most) names.push(name);
    }
    for (const name of names) this.#due.delete(name);
    this.#wakeAt(next);
    return names;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#due.clear();
    this.#failures.clear();
  }

  #wakeAt(at: number): void {
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Number.POSITIVE_INFINITY;
        this.#onDue();
      },
      Math.max(1, at - performance.now()),
    );
  }
}
