export interface Backoff {
  /** Milliseconds before the second attempt. */
  readonly firstMs: number;
  /** Upper bound of a pause, in milliseconds. */
  readonly maxMs: number;
  /**
   * Largest share by which a pause is shortened at random, so that callers that failed together do not retry together; default:
   * 0.25.
   */
  readonly jitter?: number;
}

/**
 * Returns the milliseconds to wait after the `failures`-th failure in a row (1 is the first): doubling, bounded, jittered
 * downwards.
 */
export function backoffDelay(
  failures: number,
  { firstMs, maxMs, jitter = 0.25 }: Backoff,
  random: () => number = Math.random,
): number {
  // 2^30 is beyond any maximum in use; the exponent is bounded so that the product stays finite.
  const whole = Math.min(firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30), maxMs);
  return Math.round(whole * (1 - jitter * random()));
}
