/** Reloads shorter than this in milliseconds are harmless, however many there are. */
export const NEGLIGIBLE_MS = 20;

/** What an idle dnsmasq rests after a reload, as a share of the time that the reload took. */
const IDLE_SHARE = 0.1;

/** Minimum time between two restarts that only replace reloads, in milliseconds and as a multiple of the time that one takes. */
const RESTART_INTERVAL_MS = 250;
const RESTART_INTERVAL_FACTOR = 4;

/**
 * Decides when dnsmasq may be reloaded again. It does not serve during a reload, and a reload compares every lease with every host
 * (1 s at 5,000 of each). So after each reload it serves until it has answered all that waited for it, or for as long as the reload
 * took.
 */
export class ReloadThrottle {
  readonly #intervalMs: number;
  #endedAt = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  #reloadMs = 0;
  #restartedAt = Number.NEGATIVE_INFINITY;

  /** @param intervalMs minimum time between two reloads (bulk_reload_interval). */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Milliseconds that the last reload took; 0 before the first. */
  get lastMs(): number {
    return this.#reloadMs;
  }

  /** Returns the milliseconds to wait before the next reload of a dnsmasq that is busy; 0 if there was no recent one. */
  waitMs(now: number): number {
    return this.#restMs(now, 1);
  }

  /** Returns the milliseconds to wait before the next reload of a dnsmasq that has nothing to do. */
  idleWaitMs(now: number): number {
    return this.#restMs(now, IDLE_SHARE);
  }

  /** Returns after how many milliseconds a busy dnsmasq may be idle, or have been busy for long enough. */
  nextLookMs(now: number): number {
    return Math.min(this.waitMs(now), Math.max(this.idleWaitMs(now), this.#tookMs * IDLE_SHARE));
  }

  #restMs(now: number, share: number): number {
    const rest = Math.max(this.#tookMs < NEGLIGIBLE_MS ? 0 : this.#tookMs * share, this.#intervalMs);
    return Math.max(0, this.#endedAt + rest - now);
  }

  /** Returns the milliseconds to wait before a restart that replaces a reload: nobody is answered while none runs. */
  restartWaitMs(now: number): number {
    const rest = Math.max(RESTART_INTERVAL_MS, this.#tookMs * RESTART_INTERVAL_FACTOR);
    return Math.max(this.waitMs(now), this.#restartedAt + rest - now, 0);
  }

  /** Records a start or restart from `began` to `ended`, in milliseconds of the clock passed to `restartWaitMs`. */
  restarted(began: number, ended: number): void {
    this.#ended(began, ended);
    this.#restartedAt = ended;
  }

  /** Records a reload from `began` to `ended`, in milliseconds of the clock passed to `waitMs`. */
  reloaded(began: number, ended: number): void {
    this.#ended(began, ended);
    this.#reloadMs = ended - began;
  }

  #ended(began: number, ended: number): void {
    this.#endedAt = ended;
    this.#tookMs = ended - began;
  }
}

/** Returns the timeout of a reload in milliseconds, far more than it takes: it grows with leases times hosts. */
export function reloadTimeoutMs(hosts: number): number {
  return Math.min(600_000, 10_000 + hosts * hosts * 4e-4);
}
