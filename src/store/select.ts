import { type RawBuilder, sql } from 'kysely';
import type { Queries } from '../db/database.ts';
import type { Resource, ShownColumnsOf, Stored } from '../resources/attribute.ts';
import { fromTables, layoutOf, type PlainAttribute } from './layout.ts';

interface Selection {
  readonly columns: RawBuilder<unknown>;
  readonly from: RawBuilder<unknown>;
}

const selections = new WeakMap<object, Selection>();

function selectionOf(resource: Resource): Selection {
  const known = selections.get(resource.attributes);
  if (known) return known;
  const { table, shown } = layoutOf(resource);
  const attr = resource.standardAttributes === undefined ? [] : [sql`${sql.ref(`${table}.standard_attr_id`)} as attr`];
  const columns = shown.map((p) => sql`${sql.ref(`${p.table}.${p.column}`)} as ${sql.ref(p.name)}`);
  const id = sql`${sql.ref(`${table}.id`)} as row_id`;
  const selection = {
    columns: sql.join([id, ...columns, ...attr]),
    from: fromTables(resource, new Set(shown.map((p) => p.table))),
  };
  selections.set(resource.attributes, selection);
  return selection;
}

/** The plain attributes of a resource, as in responses. */
export interface Selected<R extends Resource> {
  readonly id: string;
  /** Id of its standard attributes; 0 for resources without them. */
  readonly attr: number;
  readonly shown: ShownColumnsOf<R>;
}

function load({ attribute }: PlainAttribute, value: Stored | undefined): unknown {
  if (value === null || value === undefined) return attribute.absent ?? null;
  return attribute.type.load ? attribute.type.load(value) : value;
}

/** Reads the plain attributes of resources by their ids, in unspecified order. */
export async function selectPlain<R extends Resource>(
  db: Queries,
  resource: R,
  ids: readonly string[],
): Promise<readonly Selected<R>[]> {
  if (ids.length === 0) return [];
  const { columns, from } = selectionOf(resource);
  const { rows } = await sql<Record<string, Stored>>`select ${columns} ${from}
    where ${sql.ref(`${resource.table}.id`)} in (${sql.join(ids)})`.execute(db);
  const { shown } = layoutOf(resource);
  return rows.map((row) => {
    const values: Record<string, unknown> = {};
    for (const plain of shown) values[plain.name] = load(plain, row[plain.name]);
    return { id: String(row.row_id), attr: Number(row.attr ?? 0), shown: values as ShownColumnsOf<R> };
  });
}
