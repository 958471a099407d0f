import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Queries } from '../db/database.ts';
import type { Attribute, Resource } from '../resources/attribute.ts';
import { neutronError, notFound } from '../resources/errors.ts';
import { boolean } from '../resources/types.ts';
import { CHANGED_SINCE, changedSince } from './changed-since.ts';
import { columnOf, fromTables, tableOf } from './layout.ts';

export type Condition = Expression<SqlBool>;

/** Who lists: some filters, such as `shared`, mean what is so for the viewer. */
export interface Viewer {
  readonly projectId: string;
}

/** Conditions of filters that are not plain columns, by name; a row must have one of the values passed. */
export type Conditions = Readonly<Record<string, (values: readonly string[], viewer?: Viewer) => Condition>>;

/** The definition of a resource's lists. */
export interface Listed {
  readonly resource: Resource;
  /** `from ...` for a resource whose rows are computed; default: the tables of its declaration. */
  readonly source?: RawBuilder<unknown>;
  readonly conditions?: Conditions;
}

/** A list request, validated against the resource's declaration. */
export interface ListQuery {
  /** Values by attribute; a row matches if it has one of the values of every attribute. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
  readonly sorts: readonly { readonly attribute: string; readonly descending: boolean }[];
  readonly limit?: number;
  readonly marker?: string;
  readonly pageReverse: boolean;
  /** Attributes that the response shows; default: all. Documents need not contain others. */
  readonly fields?: readonly string[];
}

const NEVER = sql<SqlBool>`1 = 0`;

/** `column in (values)`, with the values converted by the attribute's type; values that cannot match are dropped. */
export function columnIn(
  column: Expression<unknown>,
  values: readonly (string | number | null | undefined)[],
): Condition {
  const possible = values.filter((v) => v !== undefined && v !== null);
  const nulls = values.includes(null);
  if (possible.length === 0) return nulls ? sql<SqlBool>`${column} is null` : NEVER;
  const within = sql<SqlBool>`${column} in (${sql.join(possible)})`;
  return nulls ? sql<SqlBool>`(${within} or ${column} is null)` : within;
}

/** A condition on a flag that is stored as the presence of a row: true selects rows for which `exists` holds. */
export const presence =
  (exists: Condition) =>
  (values: readonly string[]): Condition => {
    const wanted = new Set(values.map((v) => boolean.filter?.(v)));
    return sql`(${wanted.has(1) ? exists : NEVER} or ${wanted.has(0) ? sql`not ${exists}` : NEVER})`;
  };

const attributeOf = ({ resource }: Listed, name: string): Attribute | undefined =>
  Object.hasOwn(resource.attributes, name) ? resource.attributes[name] : undefined;

/** Returns whether lists can be filtered by an attribute, or by another name that has a condition. */
export function isFilter(listed: Listed, name: string): boolean {
  if (listed.conditions && Object.hasOwn(listed.conditions, name)) return true;
  if (name === CHANGED_SINCE) return listed.resource.standardAttributes !== undefined;
  const attribute = attributeOf(listed, name);
  return attribute !== undefined && attribute.filter !== false && attribute.column !== undefined;
}

function condition(listed: Listed, name: string, values: readonly string[], viewer: Viewer | undefined): Condition {
  const special = listed.conditions && Object.hasOwn(listed.conditions, name) ? listed.conditions[name] : undefined;
  if (special) return special(values, viewer);
  if (name === CHANGED_SINCE) return changedSince(listed.resource, values);
  const attribute = attributeOf(listed, name);
  if (!attribute?.column)
    throw neutronError('HTTPBadRequest', { reason: `['${name}'] is invalid attribute for filtering` });
  const { type } = attribute;
  return columnIn(
    columnOf(listed.resource, attribute),
    values.map((v) => (type.filter ? type.filter(v) : v)),
  );
}

interface SortKey {
  readonly column: Expression<unknown>;
  readonly descending: boolean;
}

const idOf = ({ resource }: Listed) => sql.ref(`${resource.table}.id`);

function sortKeys(listed: Listed, query: ListQuery): readonly SortKey[] {
  const keys: SortKey[] = query.sorts.flatMap(({ attribute: name, descending }) => {
    const attribute = attributeOf(listed, name);
    if (!attribute) return [];
    return [{ column: columnOf(listed.resource, attribute), descending: descending !== query.pageReverse }];
  });
  // The id makes the order total, so that pages neither skip nor repeat rows.
  if (!query.sorts.some((s) => s.attribute === 'id'))
    keys.push({ column: idOf(listed), descending: query.pageReverse });
  return keys;
}

/** Returns the tables that the filters and sort keys of a list use. */
function tablesOf(listed: Listed, query: ListQuery): ReadonlySet<string> {
  const names = [...Object.keys(query.filters), ...query.sorts.map((s) => s.attribute)];
  return new Set(
    names.flatMap((name) => {
      const attribute = attributeOf(listed, name);
      const special = listed.conditions && Object.hasOwn(listed.conditions, name);
      return attribute && !special ? [tableOf(attribute)] : [];
    }),
  );
}

const fromOf = (listed: Listed, query: ListQuery): RawBuilder<unknown> =>
  listed.source ?? fromTables(listed.resource, tablesOf(listed, query));

const sameAs = (column: Expression<unknown>, value: string | number | null) =>
  value === null ? sql`${column} is null` : sql`${column} = ${value}`;

/** Condition for values after the given one in the order of a key. Both dialects sort null first. */
function beyond({ column, descending }: SortKey, value: string | number | null): RawBuilder<unknown> {
  if (value === null) return descending ? NEVER : sql`${column} is not null`;
  return descending ? sql`(${column} < ${value} or ${column} is null)` : sql`${column} > ${value}`;
}

/** Condition for rows after the marker in the order of the keys: (a, b) > (x, y), with each key's own direction. */
async function afterMarker(
  db: Queries,
  listed: Listed,
  query: ListQuery,
  keys: readonly SortKey[],
  marker: string,
): Promise<Condition> {
  const columns = keys.map((k, i) => sql`${k.column} as ${sql.ref(`k${i}`)}`);
  const { rows } = await sql<Record<string, string | number | null>>`
    select ${sql.join(columns)} ${fromOf(listed, query)} where ${idOf(listed)} = ${marker}`.execute(db);
  const row = rows[0];
  if (!row) throw notFound(listed.resource, marker);
  const markerAt = (i: number) => row[`k${i}`] ?? null;
  const alternatives = keys.map((key, i) => {
    const equal = keys.slice(0, i).map((k, j) => sameAs(k.column, markerAt(j)));
    return sql`(${sql.join([...equal, beyond(key, markerAt(i))], sql` and `)})`;
  });
  return sql<SqlBool>`(${sql.join(alternatives, sql` or `)})`;
}

/** Returns the ids of the rows of a list, in order. `extra`: further conditions (visibility); `viewer`: who lists. */
export async function listIds(
  db: Queries,
  listed: Listed,
  query: ListQuery,
  extra: readonly Condition[] = [],
  viewer?: Viewer,
): Promise<readonly string[]> {
  const conditions = [
    ...extra,
    ...Object.entries(query.filters).map(([name, values]) => condition(listed, name, values, viewer)),
  ];
  const keys = sortKeys(listed, query);
  if (query.marker !== undefined && query.limit !== undefined)
    conditions.push(await afterMarker(db, listed, query, keys, query.marker));
  const where = conditions.length > 0 ? sql`where ${sql.join(conditions, sql` and `)}` : sql``;
  const order = keys.map((k) => (k.descending ? sql`${k.column} desc` : sql`${k.column} asc`));
  const limit = query.limit === undefined ? sql`` : sql`limit ${query.limit}`;
  const { rows } = await sql<{ id: string }>`select ${idOf(listed)} as id ${fromOf(listed, query)}
    ${where} order by ${sql.join(order)} ${limit}`.execute(db);
  const ids = rows.map((r) => r.id);
  return query.pageReverse ? ids.reverse() : ids;
}

const CHUNK = 500;

/** Loads documents by ids in bounded chunks; returns them in the order of the ids, except those deleted meanwhile. */
export async function loadInOrder<D>(
  ids: readonly string[],
  load: (ids: readonly string[]) => Promise<ReadonlyMap<string, D>>,
): Promise<readonly D[]> {
  const documents: D[] = [];
  for (let at = 0; at < ids.length; at += CHUNK) {
    const chunk = ids.slice(at, at + CHUNK);
    const found = await load(chunk);
    for (const id of chunk) {
      const document = found.get(id);
      if (document !== undefined) documents.push(document);
    }
  }
  return documents;
}

/** Groups rows by a key, keeping their order. */
export function groupBy<R>(rows: readonly R[], key: (row: R) => string): ReadonlyMap<string, R[]> {
  const groups = new Map<string, R[]>();
  for (const row of rows) {
    const k = key(row);
    const group = groups.get(k);
    if (group) group.push(row);
    else groups.set(k, [row]);
  }
  return groups;
}

/** Returns tags by standard_attr_id, in order. */
export async function tagsOf(
  db: Queries,
  standardAttrIds: readonly number[],
): Promise<ReadonlyMap<number, readonly string[]>> {
  if (standardAttrIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('tags')
    .selectAll()
    .where('standard_attr_id', 'in', [...standardAttrIds])
    .orderBy('tag')
    .execute();
  const byResource = groupBy(rows, (row) => String(row.standard_attr_id));
  return new Map([...byResource].map(([id, own]) => [Number(id), own.map((row) => row.tag)]));
}

const tagged = (column: string, tags: readonly string[], all: boolean) => sql<SqlBool>`
  (select count(*) from tags where tags.standard_attr_id = ${sql.ref(column)} and tags.tag in (${sql.join(tags)})) ${all ? sql`= ${tags.length}` : sql`> 0`}`;

/** The filters `tags`, `tags-any`, `not-tags`, `not-tags-any` (comma-separated) of a table with standard attributes. */
export function tagConditions(table: string): Conditions {
  const column = `${table}.standard_attr_id`;
  const split = (values: readonly string[]) => [...new Set(values.flatMap((v) => v.split(',')))];
  return {
    tags: (values) => tagged(column, split(values), true),
    'tags-any': (values) => tagged(column, split(values), false),
    'not-tags': (values) => sql<SqlBool>`not ${tagged(column, split(values), true)}`,
    'not-tags-any': (values) => sql<SqlBool>`not ${tagged(column, split(values), false)}`,
  };
}
