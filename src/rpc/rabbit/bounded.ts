import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds before try number `failures` + 1: doubling up to `maxMs`, drawn up to a quarter shorter, so that many do not come back at once. */
export function retryDelay(
  failures: number,
  firstMs: number,
  maxMs: number,
  random: () => number = Math.random,
): number {
  const whole = Math.min(firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30), maxMs);
  return Math.round(whole * (1 - 0.25 * random()));
}

/** Waits; resolves to false as soon as the signal says stop. */
export async function pause(ms: number, stop: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal: stop });
    return true;
  } catch {
    return false;
  }
}

/** Waits for a promise so many milliseconds at most; throws an Error that names `what`. */
export async function within<T>(what: string, ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
