import type { Selectable } from 'kysely';
import type { Queries } from '../db/database.ts';
import type { Outbox } from '../db/schema.ts';

/** An event to be published. */
export type OutboxRow = Selectable<Outbox>;

/**
 * How a server takes events out of an outbox that it may share with other servers. `next` returns the oldest rows in the order of
 * their ids, at most `most`, without the ordering keys in `except`; until `done` it MUST NOT return rows with the same keys to
 * another server. `done` deletes rows that were published and releases keys. Rows that were not deleted MUST be returned again.
 */
export interface OutboxClaim {
  next(most: number, except: readonly string[]): Promise<readonly OutboxRow[]>;
  done(ids: readonly number[], keys: readonly string[]): Promise<void>;
}

/** The position of an event in the outbox. */
export type OutboxPlace = Pick<OutboxRow, 'id' | 'ordering_key'>;

/** Returns the places of the oldest rows without those of some keys. Costs little however many rows of these keys wait. */
export async function oldestPlaces(
  db: Queries,
  most: number,
  except: readonly string[],
): Promise<readonly OutboxPlace[]> {
  let query = db.selectFrom('outbox').select(['id', 'ordering_key']).orderBy('id').limit(most);
  if (except.length > 0) query = query.where('ordering_key', 'not in', [...except]);
  return query.execute();
}

/** Returns the rows of these places that still exist, in order. */
export async function rowsAt(db: Queries, places: readonly OutboxPlace[]): Promise<readonly OutboxRow[]> {
  if (places.length === 0) return [];
  const ids = places.map((place) => place.id);
  return db.selectFrom('outbox').selectAll().where('id', 'in', ids).orderBy('id').execute();
}

/** Deletes rows; missing ones are ignored. */
export async function deleteRows(db: Queries, ids: readonly number[]): Promise<void> {
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
    done: (ids) => deleteRows(db, ids),
  };
}
