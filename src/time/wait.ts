import { pause } from './pause.ts';

/** What was waited for did not happen in time; the message names it. */
export class WaitTimeout extends Error {
  readonly what: string;
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number) {
    super(`waited ${timeoutMs} ms for ${what}`);
    this.name = 'WaitTimeout';
    this.what = what;
    this.timeoutMs = timeoutMs;
  }
}

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Milliseconds between two polls; default: 2 at first, doubling up to 100. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal | undefined;
}

type Condition<T> = () => T | false | null | undefined | Promise<T | false | null | undefined>;

const FIRST_POLL_MS = 2;
const MAX_POLL_MS = 100;

/**
 * Waits for a promise, or polls a condition until it returns something other than false, null or undefined. `bound` is the
 * timeout in milliseconds, or the options. Throws WaitTimeout that names `what`, the signal's reason, and any error that the
 * condition throws.
 */
export async function waitFor<T>(
  what: string,
  condition: Promise<T> | Condition<T>,
  bound: number | WaitOptions,
): Promise<T> {
  const { timeoutMs, intervalMs, signal } = typeof bound === 'number' ? { timeoutMs: bound } : bound;
  signal?.throwIfAborted();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const over = new AbortController();
  const end = (reason: unknown) => {
    over.abort();
    reject(reason);
  };
  const timer = setTimeout(() => end(new WaitTimeout(what, timeoutMs)), timeoutMs);
  const aborted = () => end(signal?.reason);
  signal?.addEventListener('abort', aborted);
  try {
    const found = typeof condition === 'function' ? poll(condition, intervalMs, over.signal) : condition;
    return await Promise.race([found, late]);
  } finally {
    over.abort();
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  }
}

async function poll<T>(condition: Condition<T>, intervalMs: number | undefined, over: AbortSignal): Promise<T> {
  for (let gap = intervalMs ?? FIRST_POLL_MS; ; gap = intervalMs ?? Math.min(gap * 2, MAX_POLL_MS)) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) return value;
    // After the timeout, the result is ignored: waitFor has already thrown.
    if (!(await pause(gap, over))) return await new Promise<never>(() => undefined);
  }
}
