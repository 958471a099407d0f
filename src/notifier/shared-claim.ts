import { randomUUID } from 'node:crypto';
import type { Database } from '../db/database.ts';
import { CLAIM_MS, claimedByOthers, claimWork, releaseWork, renewWork } from '../db/work-claims.ts';
import { type OutboxClaim, type OutboxRow, oldestPlaces, rowsAt, takeAway } from './claim.ts';

/**
 * The claim of one of several servers on a database (either dialect). A server claims each network that it tells of; nobody else is
 * given these networks' rows meanwhile, so that each network's events stay in order and are told once. A claim is given back in
 * the transaction that takes the rows away, so whoever commits next relays its own events at once. Those of a server that was
 * killed expire after 8 s by the database's clock; those of one that takes longer are renewed.
 */
export function sharedClaim(db: Database): OutboxClaim {
  return new SharedClaim(db);
}

class SharedClaim implements OutboxClaim {
  readonly #db: Database;
  readonly #owner = randomUUID();
  /** Networks that this server tells of now. */
  readonly #held = new Set<string>();
  #renewing: NodeJS.Timeout | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  async next(most: number, except: readonly string[]): Promise<readonly OutboxRow[]> {
    const { kysely, dialect } = this.#db;
    const others = await claimedByOthers(kysely, dialect, this.#owner);
    const places = await oldestPlaces(kysely, most, [...new Set([...except, ...others])]);
    if (places.length === 0) return [];
    const { mine, rows } = await this.#db.transaction(async (trx) => {
      const mine = await claimWork(trx, dialect, this.#owner, [...new Set(places.map((place) => place.network_id))]);
      // Read under the claim: what was seen before it may have been told by another server meanwhile.
      const rows = await rowsAt(
        trx,
        places.filter((place) => mine.has(place.network_id)),
      );
      return { mine, rows };
    });
    this.#hold(mine);
    const given = new Set(rows.map((row) => row.network_id));
    const idle = [...mine].filter((subject) => !given.has(subject));
    if (idle.length > 0) await this.done([], idle);
    return rows;
  }

  async done(ids: readonly number[], subjects: readonly string[]): Promise<void> {
    await this.#db.transaction(async (trx) => {
      await takeAway(trx, ids);
      await releaseWork(trx, this.#owner, subjects);
    });
    for (const subject of subjects) this.#held.delete(subject);
    if (this.#held.size > 0) return;
    clearInterval(this.#renewing);
    this.#renewing = undefined;
  }

  #hold(subjects: Iterable<string>): void {
    for (const subject of subjects) this.#held.add(subject);
    // What cannot be renewed expires: another server goes on with it, and events may be told twice.
    this.#renewing ??= setInterval(() => void this.#renew().catch(() => {}), CLAIM_MS / 3).unref();
  }

  #renew(): Promise<void> {
    const { dialect } = this.#db;
    return this.#db.transaction((trx) => renewWork(trx, dialect, this.#owner, [...this.#held]));
  }
}
