import { randomUUID } from 'node:crypto';
import type { Database } from '../db/database.ts';
import { CLAIM_MS, claimedByOthers, claimWork, releaseWork, renewWork } from '../db/work-claims.ts';
import { deleteRows, type OutboxClaim, type OutboxRow, oldestPlaces, rowsAt } from './claim.ts';

/**
 * The claim of one of several servers on a database (either dialect). A server claims each ordering key whose events it
 * publishes; no other server gets their rows meanwhile, so that the events of a key stay in order and are published once. A claim
 * is released in the transaction that deletes the rows, so that the next server that commits relays its own events at once. The
 * claims of a server that was killed expire after 8 s by the database's clock; a slow server renews its claims.
 */
export function sharedClaim(db: Database): OutboxClaim {
  return new SharedClaim(db);
}

class SharedClaim implements OutboxClaim {
  readonly #db: Database;
  readonly #owner = randomUUID();
  /** Ordering keys whose events this server publishes now. */
  readonly #held = new Set<string>();
  #renewing: NodeJS.Timeout | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  async next(most: number, except: readonly string[]): Promise<readonly OutboxRow[]> {
    const others = await claimedByOthers(this.#db, this.#owner);
    const places = await oldestPlaces(this.#db.kysely, most, [...new Set([...except, ...others])]);
    if (places.length === 0) return [];
    const { mine, rows } = await this.#db.transaction(async (trx) => {
      const mine = await claimWork(this.#db, trx, this.#owner, [...new Set(places.map((place) => place.ordering_key))]);
      // Read under the claim: another server may have published the rows that were seen before it.
      const rows = await rowsAt(
        trx,
        places.filter((place) => mine.has(place.ordering_key)),
      );
      return { mine, rows };
    });
    this.#hold(mine);
    const claimed = new Set(rows.map((row) => row.ordering_key));
    const idle = [...mine].filter((key) => !claimed.has(key));
    if (idle.length > 0) await this.done([], idle);
    return rows;
  }

  async done(ids: readonly number[], keys: readonly string[]): Promise<void> {
    await this.#db.transaction(async (trx) => {
      await deleteRows(trx, ids);
      await releaseWork(trx, this.#owner, keys);
    });
    for (const key of keys) this.#held.delete(key);
    if (this.#held.size > 0) return;
    clearInterval(this.#renewing);
    this.#renewing = undefined;
  }

  #hold(keys: Iterable<string>): void {
    for (const key of keys) this.#held.add(key);
    // A claim that cannot be renewed expires: another server takes over, and events may be published twice.
    this.#renewing ??= setInterval(() => void this.#renew().catch(() => {}), CLAIM_MS / 3).unref();
  }

  #renew(): Promise<void> {
    return this.#db.transaction((trx) => renewWork(this.#db, trx, this.#owner, [...this.#held]));
  }
}
