import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Resource } from '../resources/attribute.ts';
import { neutronError, shown } from '../resources/errors.ts';

/** Name of the filter by the time of the last change (API reference: Networking v2.0, Timestamps). */
export const CHANGED_SINCE = 'changed_since';

const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/;

/** Returns a time as stored: UTC, `YYYY-MM-DD HH:MM:SS`. Throws InvalidInput. */
function storedTimeOf(text: string): string {
  const match = TIME.exec(text);
  // Times without a zone are UTC.
  const time = match ? Date.parse(`${text.replace(' ', 'T')}${match[1] === undefined ? 'Z' : ''}`) : Number.NaN;
  if (Number.isNaN(time))
    throw neutronError('InvalidInput', {
      reason: `changed_since '${shown(text)}' is not a time like 2026-01-31T12:00:00Z`,
    });
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

/** Condition: the resource, which has standard attributes, has changed at or after the first of the times. */
export function changedSince({ table = '' }: Resource, [time = '']: readonly string[]): RawBuilder<SqlBool> {
  return sql<SqlBool>`exists (select 1 from standardattributes sa where sa.id = ${sql.ref(`${table}.standard_attr_id`)}
    and sa.updated_at >= ${storedTimeOf(time)})`;
}
