import type { Selectable } from 'kysely';
import type { Queries } from '../db/database.ts';
import type { Outbox } from '../db/schema.ts';

/** An event that waits to be told. */
export type OutboxRow = Selectable<Outbox>;

/**
 * How a server gets at the outbox that it may share with others. `next` begins a pass: it gives the oldest rows in the order of
 * their ids, at most `most`, none of the subjects (`network_id`) in `except`; until `done` it MUST NOT give rows of the same
 * subjects to another server. `done` ends the pass: it takes the rows away that were told, and MAY be called again with ids of
 * an earlier pass. Rows that were not taken away MUST be given again.
 */
export interface OutboxClaim {
  next(most: number, except: readonly string[]): Promise<readonly OutboxRow[]>;
  done(ids: readonly number[]): Promise<void>;
}

/** The claim of the only server on a database: all rows are its own. */
export function soleClaim(db: Queries): OutboxClaim {
  return {
    async next(most, except) {
      let query = db.selectFrom('outbox').selectAll().orderBy('id').limit(most);
      if (except.length > 0) query = query.where('network_id', 'not in', [...except]);
      return query.execute();
    },
    async done(ids) {
      if (ids.length > 0)
        await db
          .deleteFrom('outbox')
          .where('id', 'in', [...ids])
          .execute();
    },
  };
}
