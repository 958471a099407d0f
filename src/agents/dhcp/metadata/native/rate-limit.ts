import type { RateSettings, RateWindow } from '../rate-settings.ts';

/** Machines that are remembered; the one that has been quiet for longest is forgotten first. */
const MAX_SOURCES = 65_536;

/** Requests in the current and in the previous period. */
interface Count {
  began: number;
  current: number;
  previous: number;
}

/**
 * Limits the requests of each source as haproxy's `http_req_rate` does: the requests of the current period, and the share of the
 * previous one that a window of this length still covers. Refused requests count too.
 */
export class RateLimit {
  readonly #windows: readonly RateWindow[];
  readonly #sources = new Map<string, readonly Count[]>();
  readonly #now: () => number;

  constructor({ windows }: Pick<RateSettings, 'windows'>, now: () => number = () => performance.now()) {
    this.#windows = windows;
    this.#now = now;
  }

  /** Counts a request and returns whether it is within all windows. */
  allows(source: string): boolean {
    const now = this.#now();
    const counts = this.#sources.get(source) ?? this.#windows.map(() => ({ began: now, current: 0, previous: 0 }));
    this.#sources.delete(source);
    this.#sources.set(source, counts);
    if (this.#sources.size > MAX_SOURCES) this.#sources.delete(this.#sources.keys().next().value ?? '');
    const rates = this.#windows.map(({ seconds }, i) => count(counts[i], seconds * 1_000, now));
    return rates.every((rate, i) => rate <= (this.#windows[i]?.requests ?? 0));
  }
}

/** Adds a request, and returns the requests within the window that ends now. */
function count(counts: Count | undefined, periodMs: number, now: number): number {
  if (!counts) return 0;
  const periods = Math.floor((now - counts.began) / periodMs);
  if (periods > 0) {
    counts.previous = periods === 1 ? counts.current : 0;
    counts.current = 0;
    counts.began += periods * periodMs;
  }
  counts.current += 1;
  return counts.current + Math.floor((counts.previous * (counts.began + periodMs - now)) / periodMs);
}
