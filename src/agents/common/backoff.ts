import { pause } from './wait.ts';

export interface BackoffOptions {
  /** Milliseconds before the second try. */
  readonly firstMs: number;
  /** Milliseconds at most between two tries. */
  readonly maxMs: number;
  /** By what share the pause is drawn shorter, so that many who failed together do not come back together; 0.25 unless told. */
  readonly jitter?: number;
}

/** Milliseconds to wait after the `failures`-th failure in a row (1 is the first): doubling, bounded, jittered downwards. */
export function backoffDelay(failures: number, options: BackoffOptions, random: () => number = Math.random): number {
  const { firstMs, maxMs, jitter = 0.25 } = options;
  // 2^30 is beyond any maximum in use; the exponent is bounded so that the product stays finite.
  const whole = Math.min(firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30), maxMs);
  return Math.round(whole * (1 - jitter * random()));
}

export interface RetryOptions extends BackoffOptions {
  /** Tries at most. */
  readonly attempts: number;
  /** Which errors are worth another try; all unless told. */
  readonly worthwhile?: (error: unknown) => boolean;
  /** Hears of each failure that is followed by another try. */
  readonly onRetry?: (error: unknown, failures: number, delayMs: number) => void;
  /** No further tries once aborted: the last error is thrown. */
  readonly stop?: AbortSignal;
}

/** The one way to retry: runs the action until it succeeds, at most `attempts` times. Throws its last error. */
export async function retry<T>(action: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, worthwhile = () => true, onRetry, stop } = options;
  for (let failures = 1; ; failures += 1) {
    try {
      return await action();
    } catch (error) {
      if (failures >= attempts || stop?.aborted || !worthwhile(error)) throw error;
      const delayMs = backoffDelay(failures, options);
      onRetry?.(error, failures, delayMs);
      if (!(await pause(delayMs, stop))) throw error;
    }
  }
}
