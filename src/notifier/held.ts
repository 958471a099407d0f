import { backoffDelay } from '../rpc/backoff.ts';

const NEXT_TRY = { firstMs: 100, maxMs: 10_000 };
/** A subject whose turn came this long ago and that nothing was heard of has no events any more. */
const FORGET_MS = 60_000;

/** Subjects whose events could not be told: each waits for its next try, the others go on. Times in milliseconds. */
export class HeldSubjects {
  readonly #held = new Map<string, { readonly failures: number; readonly until: number }>();

  get size(): number {
    return this.#held.size;
  }

  /** Those that must still wait. */
  waiting(now: number): readonly string[] {
    const waiting: string[] = [];
    for (const [subject, { until }] of this.#held) {
      if (until > now) waiting.push(subject);
      else if (until < now - FORGET_MS) this.#held.delete(subject);
    }
    return waiting;
  }

  failed(subject: string, now: number): void {
    const failures = (this.#held.get(subject)?.failures ?? 0) + 1;
    this.#held.set(subject, { failures, until: now + backoffDelay(failures, NEXT_TRY) });
  }

  told(subject: string): void {
    this.#held.delete(subject);
  }

  /** When the first of those that wait has its next try; infinity when none waits. */
  nextTry(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { until } of this.#held.values()) if (until > now && until < next) next = until;
    return next;
  }
}
