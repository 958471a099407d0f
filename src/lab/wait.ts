import { setTimeout as sleep } from 'node:timers/promises';
import { LabFailure } from './failure.ts';

/** Something did not come about in time; the message names it. */
export class WaitedTooLong extends LabFailure {
  constructor(what: string, ms: number) {
    super(`waited ${ms} ms for ${what}`);
    this.name = 'WaitedTooLong';
  }
}

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Milliseconds between two looks; 50 unless told. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks until `probe` gives something else than undefined. The lab's one way to wait for what sends no event.
 * Throws WaitedTooLong, what `probe` throws, or the signal's reason.
 */
export async function waitFor<T>(what: string, probe: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const { timeoutMs, intervalMs = 50, signal } = options;
  const end = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const found = await probe();
    if (found !== undefined) return found;
    const left = end - performance.now();
    if (left <= 0) throw new WaitedTooLong(what, timeoutMs);
    // Given up while asleep: the next round throws the signal's own reason.
    await sleep(Math.min(intervalMs, left), undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}
