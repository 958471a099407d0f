import { pause } from '../../rpc/backoff.ts';

/** What was waited for did not come in time; the message names it. */
export class WaitTimeout extends Error {
  readonly what: string;
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number) {
    super(`${what} did not happen within ${timeoutMs} ms`);
    this.name = 'WaitTimeout';
    this.what = what;
    this.timeoutMs = timeoutMs;
  }
}

const FIRST_LOOK_MS = 2;
const MAX_LOOK_MS = 100;

/**
 * The one way to wait: for a promise (an event), or until a look at something gives a value other than false, null or
 * undefined; looks are 2 ms apart at first and 100 ms at most. Throws WaitTimeout naming `what`, and whatever a look throws.
 */
export async function waitFor<T>(
  what: string,
  condition: Promise<T> | (() => T | false | null | undefined | Promise<T | false | null | undefined>),
  timeoutMs: number,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const over = new AbortController();
  const timer = setTimeout(() => {
    over.abort();
    reject(new WaitTimeout(what, timeoutMs));
  }, timeoutMs);
  try {
    return await Promise.race([typeof condition === 'function' ? look(condition, over.signal) : condition, late]);
  } finally {
    over.abort();
    clearTimeout(timer);
  }
}

async function look<T>(
  condition: () => T | false | null | undefined | Promise<T | false | null | undefined>,
  over: AbortSignal,
): Promise<T> {
  for (let gap = FIRST_LOOK_MS; ; gap = Math.min(gap * 2, MAX_LOOK_MS)) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) return value;
    // When time is over nobody listens any more: whoever waited has been told.
    if (!(await pause(gap, over))) return await new Promise<never>(() => undefined);
  }
}
