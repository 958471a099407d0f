import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Queries } from '../db/database.ts';
import type { Resource } from '../resources/attribute.ts';
import { neutronError, notFound } from '../resources/errors.ts';
import type { ListQuery } from './core.ts';

export type Condition = Expression<SqlBool>;

/** How a resource's rows are found: its table, what is joined for filters, and filters that are no plain column. */
export interface ListPlan {
  readonly resource: Resource;
  readonly table: string;
  /** `from ...` with the joins that the columns of the declaration need. */
  readonly from: RawBuilder<unknown>;
  /** Conditions of attributes without a column (and of pseudo-attributes such as `tags-any`), by name. */
  readonly conditions: Readonly<Record<string, (values: readonly string[]) => Condition>>;
}

const NEVER = sql<SqlBool>`1 = 0`;

/** `column in (values)`, with the values turned as the attribute's type says; what cannot match matches nothing. */
export function columnIn(column: string, values: readonly (string | number | null | undefined)[]): Condition {
  const possible = values.filter((v) => v !== undefined && v !== null);
  const nulls = values.includes(null);
  if (possible.length === 0) return nulls ? sql<SqlBool>`${sql.ref(column)} is null` : NEVER;
  const within = sql<SqlBool>`${sql.ref(column)} in (${sql.join(possible)})`;
  return nulls ? sql<SqlBool>`(${within} or ${sql.ref(column)} is null)` : within;
}

/** Whether an attribute (or a pseudo-attribute of the plan) may filter a list. */
export function isFilter(plan: Pick<ListPlan, 'resource' | 'conditions'>, name: string): boolean {
  if (Object.hasOwn(plan.conditions, name)) return true;
  const attribute = Object.hasOwn(plan.resource.attributes, name) ? plan.resource.attributes[name] : undefined;
  return attribute !== undefined && attribute.filter !== false && attribute.column !== undefined;
}

function condition(plan: ListPlan, name: string, values: readonly string[]): Condition {
  const special = Object.hasOwn(plan.conditions, name) ? plan.conditions[name] : undefined;
  if (special) return special(values);
  const attribute = plan.resource.attributes[name];
  if (!attribute?.column)
    throw neutronError('HTTPBadRequest', { reason: `['${name}'] is invalid attribute for filtering` });
  const { type, column } = attribute;
  return columnIn(
    column,
    values.map((v) => (type.filter ? type.filter(v) : v)),
  );
}

interface SortKey {
  readonly column: string;
  readonly descending: boolean;
}

function sortKeys(plan: ListPlan, query: ListQuery): readonly SortKey[] {
  const keys = query.sorts.map(({ attribute, descending }) => ({
    column: plan.resource.attributes[attribute]?.column ?? `${plan.table}.id`,
    descending: descending !== query.pageReverse,
  }));
  // The id makes the order total, so that no page misses or repeats a row.
  if (!query.sorts.some((s) => s.attribute === 'id'))
    keys.push({ column: `${plan.table}.id`, descending: query.pageReverse });
  return keys;
}

const sameAs = (column: string, value: string | number | null) =>
  value === null ? sql`${sql.ref(column)} is null` : sql`${sql.ref(column)} = ${value}`;

/** What comes behind a value in the order of a key. Both dialects put null before everything else. */
function beyond({ column, descending }: SortKey, value: string | number | null): RawBuilder<unknown> {
  const ref = sql.ref(column);
  if (value === null) return descending ? NEVER : sql`${ref} is not null`;
  return descending ? sql`(${ref} < ${value} or ${ref} is null)` : sql`${ref} > ${value}`;
}

/** Rows behind the marker in the order of the keys: (a, b) > (x, y), with each key's own direction. */
async function afterMarker(db: Queries, plan: ListPlan, keys: readonly SortKey[], marker: string): Promise<Condition> {
  const columns = keys.map((k, i) => sql`${sql.ref(k.column)} as ${sql.ref(`k${i}`)}`);
  const { rows } = await sql<Record<string, string | number | null>>`
    select ${sql.join(columns)} ${plan.from} where ${sql.ref(`${plan.table}.id`)} = ${marker}`.execute(db);
  const row = rows[0];
  if (!row) throw notFound(plan.resource.name, marker);
  const markerAt = (i: number) => row[`k${i}`] ?? null;
  const alternatives = keys.map((key, i) => {
    const equal = keys.slice(0, i).map((k, j) => sameAs(k.column, markerAt(j)));
    return sql`(${sql.join([...equal, beyond(key, markerAt(i))], sql` and `)})`;
  });
  return sql<SqlBool>`(${sql.join(alternatives, sql` or `)})`;
}

/** Ids of the rows that a list asks for, in its order. `extra`: conditions of the caller (what it may see). */
export async function listIds(
  db: Queries,
  plan: ListPlan,
  query: ListQuery,
  extra: readonly Condition[] = [],
): Promise<readonly string[]> {
  const conditions = [
    ...extra,
    ...Object.entries(query.filters).map(([name, values]) => condition(plan, name, values)),
  ];
  const keys = sortKeys(plan, query);
  if (query.marker !== undefined && query.limit !== undefined)
    conditions.push(await afterMarker(db, plan, keys, query.marker));
  const where = conditions.length > 0 ? sql`where ${sql.join(conditions, sql` and `)}` : sql``;
  const order = keys.map((k) => (k.descending ? sql`${sql.ref(k.column)} desc` : sql`${sql.ref(k.column)} asc`));
  const limit = query.limit === undefined ? sql`` : sql`limit ${query.limit}`;
  const { rows } = await sql<{ id: string }>`
    select ${sql.ref(`${plan.table}.id`)} as id ${plan.from} ${where} order by ${sql.join(order)} ${limit}`.execute(db);
  const ids = rows.map((r) => r.id);
  return query.pageReverse ? ids.reverse() : ids;
}

const CHUNK = 500;

/** Loads documents by ids in bounded chunks and gives them in the order of the ids; ids that went meanwhile are left out. */
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

/** Rows by a key, in their order. */
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

/** Tags by standard_attr_id, each resource's in order. */
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
export function tagConditions(table: string): ListPlan['conditions'] {
  const column = `${table}.standard_attr_id`;
  const split = (values: readonly string[]) => [...new Set(values.flatMap((v) => v.split(',')))];
  return {
    tags: (values) => tagged(column, split(values), true),
    'tags-any': (values) => tagged(column, split(values), false),
    'not-tags': (values) => sql<SqlBool>`not ${tagged(column, split(values), true)}`,
    'not-tags-any': (values) => sql<SqlBool>`not ${tagged(column, split(values), false)}`,
  };
}
