import { backoffDelay } from '../time/backoff.ts';

const NEXT_TRY = { firstMs: 100, maxMs: 10_000 };
/** A key that was due this long ago, without an event afterwards, has no events left. */
const FORGET_MS = 60_000;

/** Ordering keys whose events could not be published: each waits for its own retry. Times in milliseconds. */
export class RetrySchedule {
  readonly #retries = new Map<string, { readonly failures: number; readonly due: number }>();

  get size(): number {
    return this.#retries.size;
  }

  /** Returns the keys whose retry is not due yet. */
  waiting(now: number): readonly string[] {
    const waiting: string[] = [];
    for (const [key, { due }] of this.#retries) {
      if (due > now) waiting.push(key);
      else if (due < now - FORGET_MS) this.#retries.delete(key);
    }
    return waiting;
  }

  failed(key: string, now: number): void {
    const failures = (this.#retries.get(key)?.failures ?? 0) + 1;
    this.#retries.set(key, { failures, due: now + backoffDelay(failures, NEXT_TRY) });
  }

  succeeded(key: string): void {
    this.#retries.delete(key);
  }

  /** Returns when the next retry is due; infinity if there is none. */
  nextTry(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { due } of this.#retries.values()) if (due > now && due < next) next = due;
    return next;
  }
}
