import { randomUUID } from 'node:crypto';
import type { Database } from '../db/database.ts';
import { CLAIM_MS, claimWork, isExpired, releaseWork, renewWork } from '../db/work-claims.ts';
import type { OutboxClaim, OutboxRow } from './claim.ts';

/**
 * The claim of one of several servers on a database (either dialect). A pass of the relay claims each network that it tells of;
 * nobody else is given these networks' rows meanwhile, so that each network's events stay in order and are told once. The claims
 * are given back in the transaction that takes the rows away, so whoever commits next relays its own events at once. Those of a
 * server that was killed expire after 10 s by the database's clock; those of a pass that takes longer are renewed.
 */
export function sharedClaim(db: Database): OutboxClaim {
  return new SharedClaim(db);
}

class SharedClaim implements OutboxClaim {
  readonly #db: Database;
  readonly #owner = randomUUID();
  /** Networks that this server tells of now. */
  #held: readonly string[] = [];
  #renewing: NodeJS.Timeout | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  async next(most: number, except: readonly string[]): Promise<readonly OutboxRow[]> {
    // Of a pass that an error cut short.
    if (this.#held.length > 0) await this.done([]);
    const subjects = await this.#unclaimed(most, except);
    if (subjects.length === 0) return [];
    const { held, rows } = await this.#claim(subjects, most);
    this.#hold(held);
    if (rows.length === 0) await this.done([]);
    return rows;
  }

  async done(ids: readonly number[]): Promise<void> {
    const held = this.#held;
    clearInterval(this.#renewing);
    if (ids.length === 0 && held.length === 0) return;
    await this.#db.transaction(async (trx) => {
      if (ids.length > 0)
        await trx
          .deleteFrom('outbox')
          .where('id', 'in', [...ids])
          .execute();
      await releaseWork(trx, this.#owner, held);
    });
    this.#held = [];
  }

  /** Subjects of the oldest rows that nobody else tells of. */
  async #unclaimed(most: number, except: readonly string[]): Promise<readonly string[]> {
    const { kysely, dialect } = this.#db;
    let query = kysely
      .selectFrom('outbox')
      .leftJoin('workclaims as c', 'c.work', 'outbox.network_id')
      .select('outbox.network_id')
      .where((eb) => eb.or([eb('c.work', 'is', null), eb('c.owner', '=', this.#owner), isExpired(dialect, 'c')]))
      .orderBy('outbox.id')
      .limit(most);
    if (except.length > 0) query = query.where('outbox.network_id', 'not in', [...except]);
    return [...new Set((await query.execute()).map((row) => row.network_id))];
  }

  #claim(subjects: readonly string[], most: number): Promise<{ held: readonly string[]; rows: readonly OutboxRow[] }> {
    const { dialect } = this.#db;
    return this.#db.transaction(async (trx) => {
      const held = [...(await claimWork(trx, dialect, this.#owner, subjects))];
      if (held.length === 0) return { held, rows: [] };
      // Read under the claim: what was seen before it may have been told by another server meanwhile.
      const rows = await trx
        .selectFrom('outbox')
        .selectAll()
        .where('network_id', 'in', held)
        .orderBy('id')
        .limit(most)
        .execute();
      return { held, rows };
    });
  }

  #hold(subjects: readonly string[]): void {
    this.#held = subjects;
    const renew = () =>
      this.#db.transaction((trx) => renewWork(trx, this.#db.dialect, this.#owner, this.#held)).catch(() => {});
    // What cannot be renewed expires: another server goes on with it, and events may be told twice.
    this.#renewing = setInterval(renew, CLAIM_MS / 3).unref();
  }
}
