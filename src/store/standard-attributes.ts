import type { InsertResult } from 'kysely';
import type { Trx } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import { neutronError } from '../resources/errors.ts';
import { storedTime } from '../time/stored-time.ts';

/** Returns the current time as stored in tables: UTC, `YYYY-MM-DD HH:MM:SS`. */
export const nowText = (): string => storedTime(Date.now());

/** A time of the tables as documents show it: `YYYY-MM-DDTHH:MM:SSZ`. */
const shownTime = (stored: string): string => `${stored.replace(' ', 'T')}Z`;

interface StandardRow {
  readonly resource_type: string;
  readonly description: string;
  readonly revision_number: number;
  readonly created_at: string;
  readonly updated_at: string;
}

const insert = prepared<StandardRow, InsertResult>((db, p) =>
  db.insertInto('standardattributes').values({
    resource_type: p('resource_type'),
    description: p('description'),
    revision_number: p('revision_number'),
    created_at: p('created_at'),
    updated_at: p('updated_at'),
  }),
);

/** Inserts the standard attributes of a new resource, created now; returns their id. */
export async function insertStandardAttributes(
  trx: Trx,
  attributes: Omit<StandardRow, 'created_at' | 'updated_at'>,
  now = nowText(),
): Promise<number> {
  const { insertId } = await insert(trx, { ...attributes, created_at: now, updated_at: now });
  if (insertId === undefined) throw new Error('the database returned no id for a row of standardattributes');
  return Number(insertId);
}

/** Returns the standard attributes of a new resource that requests cannot set. */
export function newStandard(revision = 0) {
  const now = shownTime(nowText());
  return { created_at: now, updated_at: now, revision_number: revision };
}

/**
 * Records a change: increments revision_number and sets updated_at to the current time. With `expected` (If-Match), throws
 * RevisionNumberConstraintFailed if the revision differs. The condition is part of the update, so concurrent callers cannot
 * both succeed. `by`: more than 1 where Neutron counts one request as several changes.
 */
export async function bumpRevision(
  trx: Trx,
  standardAttrId: number,
  expected?: number,
  now = nowText(),
  by = 1,
): Promise<void> {
  let update = trx
    .updateTable('standardattributes')
    .set((eb) => ({ revision_number: eb('revision_number', '+', by), updated_at: now }))
    .where('id', '=', standardAttrId);
  if (expected !== undefined) update = update.where('revision_number', '=', expected);
  const { numUpdatedRows } = await update.executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n && expected !== undefined) await requireRevision(trx, standardAttrId, expected);
}

/**
 * As `bumpRevision`, for a resource whose document before the change is at hand; returns the attributes that changed, as
 * documents show them.
 */
export async function nextRevision(
  trx: Trx,
  standardAttrId: number,
  before: { readonly revision_number: number },
  expected?: number,
): Promise<{ readonly revision_number: number; readonly updated_at: string }> {
  const now = nowText();
  await bumpRevision(trx, standardAttrId, expected, now);
  return { revision_number: before.revision_number + 1, updated_at: shownTime(now) };
}

/** Throws RevisionNumberConstraintFailed unless the resource has this revision. */
export async function requireRevision(trx: Trx, standardAttrId: number, expected: number | undefined): Promise<void> {
  if (expected === undefined) return;
  const row = await trx
    .selectFrom('standardattributes')
    .select('revision_number')
    .where('id', '=', standardAttrId)
    .executeTakeFirst();
  if (row) requireCurrent(Number(row.revision_number), expected);
}

/** Throws RevisionNumberConstraintFailed unless this is the expected revision. */
export function requireCurrent(current: number, expected: number | undefined): void {
  if (expected !== undefined && current !== expected)
    throw neutronError('RevisionNumberConstraintFailed', { expected, current });
}
