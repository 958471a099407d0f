export interface BackoffOptions {
  /** Milliseconds before the second try. */
  readonly firstMs: number;
  /** Milliseconds at most between two tries. */
  readonly maxMs: number;
}

/** Largest share by which a pause is shortened at random, so that many that failed together do not return together. */
const JITTER = 0.25;

/**
 * Returns the milliseconds to wait after the `failures`-th consecutive failure (1 is the first): doubling, bounded, jittered
 * downwards.
 */
export function backoffDelay(
  failures: number,
  { firstMs, maxMs }: BackoffOptions,
  random: () => number = Math.random,
): number {
  // 2^30 is beyond any maximum in use; the exponent is bounded so that the product stays finite.
  const whole = Math.min(firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30), maxMs);
  return Math.round(whole * (1 - JITTER * random()));
}

/** Waits `ms` milliseconds; resolves to false as soon as `stop` is aborted. */
export function pause(ms: number, stop?: AbortSignal): Promise<boolean> {
  if (stop?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (whole: boolean) => {
      clearTimeout(timer);
      stop?.removeEventListener('abort', stopped);
      resolve(whole);
    };
    const stopped = () => end(false);
    const timer = setTimeout(() => end(true), ms);
    stop?.addEventListener('abort', stopped);
  });
}
