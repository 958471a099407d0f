import { randomUUID } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import type { Database, Queries } from '../db/database.ts';
import type { Notifications, NovaEvents } from '../db/schema.ts';
import { CLAIM_MS, claimWork, releaseWork, renewWork } from '../db/work-claims.ts';

/** The tables of queues, with their rows; ids grow in the order of insertion. */
export interface EventTables {
  readonly novaevents: Selectable<NovaEvents>;
  readonly notifications: Selectable<Notifications>;
}

export interface EventQueueOptions<Table extends keyof EventTables> {
  readonly db: Database;
  readonly table: Table;
  /** Names the task that one server performs at a time. */
  readonly work: string;
  /** Whether no other server uses the database: then nothing is claimed. */
  readonly alone: boolean;
}

/**
 * Events that wait for a receiver outside. One server at a time takes them, so that they arrive in order; another continues if it is
 * killed, once its claim has expired.
 */
export class EventQueue<Table extends keyof EventTables> {
  readonly #db: Database;
  readonly #table: Table;
  readonly #work: string;
  readonly #alone: boolean;
  readonly #owner = randomUUID();
  #renewing: NodeJS.Timeout | undefined;

  constructor({ db, table, work, alone }: EventQueueOptions<Table>) {
    this.#db = db;
    this.#table = table;
    this.#work = work;
    this.#alone = alone;
  }

  /** Returns the oldest events, at most `most`, which are this server's until `done`; `busy`: another server's. */
  async take(most: number): Promise<readonly EventTables[Table][] | 'busy'> {
    const { kysely } = this.#db;
    if (this.#alone) return this.#oldest(kysely, most);
    if ((await this.#oldest(kysely, 1)).length === 0) return [];
    const events = await this.#db.transaction(async (trx) => {
      const mine = await claimWork(this.#db, trx, this.#owner, [this.#work]);
      // Read under the claim: another server may have sent the event that was seen before it.
      return mine.has(this.#work) ? this.#oldest(trx, most) : 'busy';
    });
    if (events === 'busy') return events;
    const renew = () => this.#db.transaction((trx) => renewWork(this.#db, trx, this.#owner, [this.#work]));
    // A claim that cannot be renewed expires: another server takes over, and events may be sent twice.
    this.#renewing ??= setInterval(() => void renew().catch(() => {}), CLAIM_MS / 3).unref();
    return events;
  }

  /** Deletes events that need not be sent again, and lets any server take the others. */
  async done(events: readonly EventTables[Table][]): Promise<void> {
    const isHeld = this.#renewing !== undefined;
    clearInterval(this.#renewing);
    this.#renewing = undefined;
    if (!isHeld && events.length === 0) return;
    const ids = events.map((event) => Number(event.id));
    await this.#db.transaction(async (trx) => {
      if (ids.length > 0) await sql`delete from ${sql.table(this.#table)} where id in (${sql.join(ids)})`.execute(trx);
      if (isHeld) await releaseWork(trx, this.#owner, [this.#work]);
    });
  }

  /** Deletes the oldest events but the newest `most`; returns how many. */
  async trim(most: number): Promise<number> {
    const table = sql.table(this.#table);
    const newest = sql<{ id: number }>`select id from ${table} order by id desc limit 1 offset ${most}`;
    const last = (await newest.execute(this.#db.kysely)).rows[0];
    if (!last) return 0;
    const gone = await this.#db.transaction((trx) => sql`delete from ${table} where id <= ${last.id}`.execute(trx));
    return Number(gone.numAffectedRows ?? 0);
  }

  async #oldest(db: Queries, most: number): Promise<readonly EventTables[Table][]> {
    const all = sql<EventTables[Table]>`select * from ${sql.table(this.#table)} order by id limit ${most}`;
    return (await all.execute(db)).rows;
  }
}
