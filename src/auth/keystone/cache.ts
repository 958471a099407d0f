import type { Validated } from './validate.ts';

interface Entry {
  /** Undefined: the token is not valid. */
  readonly known: Validated | undefined;
  /** On the clock of `performance.now()`, which never jumps. */
  readonly until: number;
}

export interface CacheLimits {
  readonly ms: number;
  /** Milliseconds that an invalid token is remembered. */
  readonly invalidMs: number;
  readonly entries: number;
}

/**
 * Remembers what is known of tokens, by a key that is not the token itself. Valid and invalid tokens are bounded by themselves, so
 * that invented tokens do not displace those in use. The oldest entry goes first.
 */
export class TokenCache {
  readonly #limits: CacheLimits;
  readonly #valid = new Map<string, Entry>();
  readonly #invalid = new Map<string, Entry>();

  constructor(limits: CacheLimits) {
    this.#limits = limits;
  }

  /** Returns what is known of a token; undefined: nothing. */
  get(key: string): { readonly known: Validated | undefined } | undefined {
    const entry = this.#valid.get(key) ?? this.#invalid.get(key);
    return entry && performance.now() < entry.until ? entry : undefined;
  }

  /** Remembers a token; `since`: when Keystone was asked, because it may have been revoked right after. */
  set(key: string, known: Validated | undefined, since: number): void {
    const { ms, invalidMs, entries } = this.#limits;
    const [into, life] = known ? [this.#valid, ms] : [this.#invalid, invalidMs];
    for (const map of [this.#valid, this.#invalid]) map.delete(key);
    if (life <= 0) return;
    into.set(key, { known, until: since + life });
    for (const oldest of into.keys()) {
      if (into.size <= entries) break;
      into.delete(oldest);
    }
  }
}
