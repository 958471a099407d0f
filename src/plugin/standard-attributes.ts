import type { InsertResult } from 'kysely';
import type { Trx } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import { neutronError } from '../resources/errors.ts';

/** Now, as the tables hold times: UTC, `YYYY-MM-DD HH:MM:SS`. */
export const nowText = (): string => new Date().toISOString().slice(0, 19).replace('T', ' ');

/** A time of the tables as answers show it: `YYYY-MM-DDTHH:MM:SSZ`. */
export const timeShown = (stored: string): string => `${stored.replace(' ', 'T')}Z`;

const insert = prepared<NewAttributes, InsertResult>((db, p) =>
  db.insertInto('standardattributes').values({
    resource_type: p('resource_type'),
    description: p('description'),
    revision_number: p('revision_number'),
    created_at: p('now'),
    updated_at: p('now'),
  }),
);

interface NewAttributes {
  readonly resource_type: string;
  readonly description: string;
  readonly revision_number: number;
  readonly now: string;
}

/** Makes the standard attributes of a new resource; gives their id. */
export async function insertStandardAttributes(trx: Trx, attributes: NewAttributes): Promise<number> {
  const { insertId } = await insert(trx, attributes);
  if (insertId === undefined) throw new Error('the database gave no id for a row of standardattributes');
  return Number(insertId);
}

/**
 * Counts a change: revision_number grows by one, updated_at becomes now. With `expected` (If-Match) throws
 * RevisionNumberConstraintFailed when the revision is another. The row's own condition decides, so two callers cannot both win.
 */
export async function bumpRevision(trx: Trx, standardAttrId: number, expected?: number): Promise<void> {
  let update = trx
    .updateTable('standardattributes')
    .set((eb) => ({ revision_number: eb('revision_number', '+', 1), updated_at: nowText() }))
    .where('id', '=', standardAttrId);
  if (expected !== undefined) update = update.where('revision_number', '=', expected);
  const { numUpdatedRows } = await update.executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n && expected !== undefined) await requireRevision(trx, standardAttrId, expected);
}

/** Throws RevisionNumberConstraintFailed unless the resource has this revision. */
export async function requireRevision(trx: Trx, standardAttrId: number, expected: number | undefined): Promise<void> {
  if (expected === undefined) return;
  const row = await trx
    .selectFrom('standardattributes')
    .select('revision_number')
    .where('id', '=', standardAttrId)
    .executeTakeFirst();
  if (row && Number(row.revision_number) !== expected)
    throw neutronError('RevisionNumberConstraintFailed', { expected, current: Number(row.revision_number) });
}
