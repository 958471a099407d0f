import type { Database, Trx } from '../db/database.ts';
import { countChange, revisionOf } from './settings.ts';

/** Milliseconds for which a server does not ask whether another one has changed something. */
const FRESH_MS = 1_000;
/** Tokens that are remembered; the oldest are forgotten first, and cost a few queries again. */
const MAX_TOKENS = 10_000;

interface Entry<T> {
  readonly value: T;
  readonly expiresAt: number;
}

/**
 * What valid tokens mean, so that a request costs no query. Every change of users, projects, roles and revoked tokens empties it:
 * at once on the server that makes the change, within a second on the others.
 */
export class TokenCache<T> {
  readonly #db: Database;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry<T>>();
  #revision = -1;
  #freshUntil = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  /** Counts how often the cache has been emptied: what was read before that must not be remembered after it. */
  #emptied = 0;

  constructor(db: Database, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** Returns what a token means, without waiting, if that is known for certain; undefined otherwise. */
  known(token: string): T | undefined {
    const entry = this.#entries.get(token);
    if (entry === undefined || performance.now() >= this.#freshUntil) return undefined;
    if (this.#now() < entry.expiresAt) return entry.value;
    this.#entries.delete(token);
    return undefined;
  }

  /**
   * Returns what a token means; `resolve` reads it from the database if it is not known, or returns undefined if the token is not
   * valid.
   */
  async get(
    token: string,
    resolve: () => Promise<{ readonly value: T; readonly expiresAt: number } | undefined>,
  ): Promise<T | undefined> {
    await this.#refresh();
    const known = this.known(token);
    if (known !== undefined) return known;
    const emptied = this.#emptied;
    const entry = await resolve();
    if (entry && emptied === this.#emptied) {
      this.#entries.set(token, entry);
      for (const oldest of this.#entries.keys()) {
        if (this.#entries.size <= MAX_TOKENS) break;
        this.#entries.delete(oldest);
      }
    }
    return entry?.value;
  }

  /** Changes users, projects, roles or revoked tokens in a transaction, after which nothing that was read before is believed. */
  async change<R>(work: (trx: Trx) => Promise<R>): Promise<R> {
    try {
      return await this.#db.transaction(async (trx) => {
        // First, so that changes wait for each other here instead of deadlocking later.
        await countChange(trx);
        return work(trx);
      });
    } finally {
      // Also after an error, because a commit may have succeeded although its connection broke.
      this.#empty();
    }
  }

  /** Empties the cache if another server has changed something. Throws what the database throws: then nobody is let in. */
  async #refresh(): Promise<void> {
    if (performance.now() < this.#freshUntil) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const askedAt = performance.now();
    const revision = await revisionOf(this.#db.kysely);
    if (revision !== this.#revision) this.#empty();
    this.#revision = revision;
    this.#freshUntil = askedAt + FRESH_MS;
  }

  #empty(): void {
    this.#entries.clear();
    this.#emptied += 1;
  }
}
