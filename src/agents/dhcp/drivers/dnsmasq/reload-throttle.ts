/** Reloads shorter than this hurt nobody, however many there are. */
const NEGLIGIBLE_MS = 20;

/**
 * When dnsmasq may reload again. While it reloads it answers nobody, and a reload compares every lease with every
 * host (1 s at 5 000 of each), so after each it answers for at least as long as the reload took.
 */
export class ReloadThrottle {
  readonly #intervalMs: number;
  #endedAt = Number.NEGATIVE_INFINITY;
  #tookMs = 0;

  /** @param intervalMs least time between two reloads (bulk_reload_interval). */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Milliseconds to wait before the next reload; 0 when none was lately. */
  waitMs(now: number): number {
    const rest = Math.max(this.#tookMs < NEGLIGIBLE_MS ? 0 : this.#tookMs, this.#intervalMs);
    return Math.max(0, this.#endedAt + rest - now);
  }

  /** A reload from `began` to `ended`, milliseconds of the clock that `waitMs` is given. */
  reloaded(began: number, ended: number): void {
    this.#endedAt = ended;
    this.#tookMs = ended - began;
  }
}

/** Milliseconds that a reload is given, far more than it takes: it grows with leases times hosts. */
export function reloadTimeoutMs(hosts: number): number {
  return Math.min(600_000, 10_000 + hosts * hosts * 4e-4);
}
