import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Database, Queries } from '../../db/database.ts';
import type { NovaEvents } from '../../db/schema.ts';
import { CLAIM_MS, claimWork, releaseWork, renewWork } from '../../db/work-claims.ts';

/** An event for Nova. */
export type NovaEvent = Selectable<NovaEvents>;

/** The task that one server performs at a time. */
const WORK = 'nova_events';

/**
 * The events that wait for Nova. One server at a time takes them, so that the events of a port arrive in order; another continues
 * if it is killed, once its claim has expired. `alone`: no other server uses the database, and nothing is claimed.
 */
export class NovaQueue {
  readonly #db: Database;
  readonly #alone: boolean;
  readonly #owner = randomUUID();
  #renewing: NodeJS.Timeout | undefined;

  constructor(db: Database, alone: boolean) {
    this.#db = db;
    this.#alone = alone;
  }

  /** Returns the oldest events, at most `most`, which are this server's until `done`; `busy`: another server's. */
  async take(most: number): Promise<readonly NovaEvent[] | 'busy'> {
    const { kysely } = this.#db;
    if (this.#alone) return oldest(kysely, most);
    if ((await oldest(kysely, 1)).length === 0) return [];
    const events = await this.#db.transaction(async (trx) => {
      const mine = await claimWork(this.#db, trx, this.#owner, [WORK]);
      // Read under the claim: another server may have sent the event that was seen before it.
      return mine.has(WORK) ? oldest(trx, most) : 'busy';
    });
    if (events === 'busy') return events;
    const renew = () => this.#db.transaction((trx) => renewWork(this.#db, trx, this.#owner, [WORK]));
    // A claim that cannot be renewed expires: another server takes over, and events may be sent twice.
    this.#renewing ??= setInterval(() => void renew().catch(() => {}), CLAIM_MS / 3).unref();
    return events;
  }

  /** Deletes events that need not be sent again, and lets any server take the others. */
  async done(events: readonly NovaEvent[]): Promise<void> {
    const isHeld = this.#renewing !== undefined;
    clearInterval(this.#renewing);
    this.#renewing = undefined;
    if (!isHeld && events.length === 0) return;
    const ids = events.map((event) => Number(event.id));
    await this.#db.transaction(async (trx) => {
      if (ids.length > 0) await trx.deleteFrom('novaevents').where('id', 'in', ids).execute();
      if (isHeld) await releaseWork(trx, this.#owner, [WORK]);
    });
  }

  /** Deletes the oldest events but the newest `most`; returns how many. */
  async trim(most: number): Promise<number> {
    const newest = this.#db.kysely.selectFrom('novaevents').select('id').orderBy('id', 'desc');
    const last = await newest.offset(most).limit(1).executeTakeFirst();
    if (!last) return 0;
    const gone = await this.#db.transaction((trx) =>
      trx.deleteFrom('novaevents').where('id', '<=', last.id).executeTakeFirst(),
    );
    return Number(gone.numDeletedRows);
  }
}

const oldest = (db: Queries, most: number): Promise<readonly NovaEvent[]> =>
  db.selectFrom('novaevents').selectAll().orderBy('id').limit(most).execute();
