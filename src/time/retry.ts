import { type Backoff, backoffDelay } from './backoff.ts';
import { pause } from './pause.ts';

export interface RetryOptions extends Backoff {
  /** Returns whether an error is transient; others are thrown at once. Default: all are. */
  readonly retriable?: (error: unknown) => boolean;
  /** Milliseconds after which the next failure is final; default: unlimited. */
  readonly giveUpAfterMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each failure that is retried, for the log. `failures` counts from 1. */
  readonly onFailure?: (error: unknown, failures: number) => void;
}

/**
 * Runs `work` until it succeeds, with a growing pause between attempts. `failures` is the number of failed attempts so far.
 * Throws what `work` throws when that is not retriable or `giveUpAfterMs` is over, and the signal's reason once it aborts.
 */
export async function retry<T>(work: (failures: number) => T | Promise<T>, options: RetryOptions): Promise<T> {
  const { retriable = () => true, giveUpAfterMs = Number.POSITIVE_INFINITY, signal, onFailure } = options;
  const deadline = performance.now() + giveUpAfterMs;
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    try {
      return await work(failures);
    } catch (error) {
      signal?.throwIfAborted();
      if (!retriable(error) || performance.now() >= deadline) throw error;
      failures += 1;
      onFailure?.(error, failures);
    }
    await pause(backoffDelay(failures, options), signal);
  }
}
