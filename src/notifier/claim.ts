import type { Selectable } from 'kysely';
import type { Queries } from '../db/database.ts';
import type { Outbox } from '../db/schema.ts';

/** An event that waits to be told. */
export type OutboxRow = Selectable<Outbox>;

/**
 * How a server gets at the outbox that it may share with others. `next` gives the oldest rows in the order of their ids, at most
 * `most`, none of the subjects (`network_id`) in `except`; until `done` it MUST NOT give rows of the same subjects to another
 * server. `done` takes rows away that were told, and gives subjects back. Rows that were not taken away MUST be given again.
 */
export interface OutboxClaim {
  next(most: number, except: readonly string[]): Promise<readonly OutboxRow[]>;
  done(ids: readonly number[], subjects: readonly string[]): Promise<void>;
}

/** Where in the outbox an event is. */
export type OutboxPlace = Pick<OutboxRow, 'id' | 'network_id'>;

/** Places of the oldest rows but those of some subjects. Costs little however many rows of these subjects wait. */
export async function oldestPlaces(
  db: Queries,
  most: number,
  except: readonly string[],
): Promise<readonly OutboxPlace[]> {
  let query = db.selectFrom('outbox').select(['id', 'network_id']).orderBy('id').limit(most);
  if (except.length > 0) query = query.where('network_id', 'not in', [...except]);
  return query.execute();
}

/** The rows of these places that are still there, in order. */
export async function rowsAt(db: Queries, places: readonly OutboxPlace[]): Promise<readonly OutboxRow[]> {
  if (places.length === 0) return [];
  const ids = places.map((place) => place.id);
  return db.selectFrom('outbox').selectAll().where('id', 'in', ids).orderBy('id').execute();
}

/** Takes rows away; those that are gone already are no error. */
export async function takeAway(db: Queries, ids: readonly number[]): Promise<void> {
  if (ids.length > 0)
    await db
      .deleteFrom('outbox')
      .where('id', 'in', [...ids])
      .execute();
}

/** The claim of the only server on a database: all rows are its own. */
export function soleClaim(db: Queries): OutboxClaim {
  return {
    async next(most, except) {
      if (except.length > 0) return rowsAt(db, await oldestPlaces(db, most, except));
      return db.selectFrom('outbox').selectAll().orderBy('id').limit(most).execute();
    },
    done: (ids) => takeAway(db, ids),
  };
}
