import { type InsertResult, type QueryResult, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Trx } from '../db/database.ts';
import { type PreparedQuery, prepared } from '../db/prepared.ts';
import type { ColumnsOf, Listener, Resource, ShownColumnsOf, Stored } from '../resources/attribute.ts';
import { stored } from '../resources/types.ts';
import { equals, type Layout, layoutOf, STANDARD } from './layout.ts';
import { insertStandardAttributes } from './standard-attributes.ts';

type Row = Readonly<Record<string, Stored>>;
type Values = Readonly<Record<string, unknown>>;

/** Returns the row of a table for the given values; empty if none of them is stored there. */
function rowOf(resource: Resource, table: string, values: Values): Row {
  const row: Record<string, Stored> = {};
  for (const { name, column, attribute } of layoutOf(resource).byTable.get(table) ?? [])
    if (name in values) row[column] = stored(attribute.type, values[name]);
  return row;
}

type Insert = PreparedQuery<Values, InsertResult>;
const inserts = new WeakMap<Layout, ReadonlyMap<string, Insert>>();

/** Inserts the row of a table for the values of a resource, with its id and, in its own table, `standard_attr_id`. */
function insertRow(trx: Trx, resource: Resource, table: string, values: Values): Promise<QueryResult<InsertResult>> {
  const layout = layoutOf(resource);
  let own = inserts.get(layout);
  if (!own) {
    own = new Map([layout.table, ...layout.sides.keys()].map((name) => [name, insertInto(resource, layout, name)]));
    inserts.set(layout, own);
  }
  const insert = own.get(table);
  if (!insert) throw new Error(`${resource.name} has no table ${table}`);
  return insert(trx, values);
}

/** Returns the insert of a row; in the resource's own table, it changes nothing if a unique key exists already. */
function insertInto(resource: Resource, { table: main, byTable, sides }: Layout, table: string): Insert {
  const side = sides.get(table);
  return prepared<Values, InsertResult>((db, p) => {
    const row: Record<string, unknown> = { ...side?.constants };
    for (const { name, column, attribute } of byTable.get(table) ?? []) row[column] ??= p(name, attribute.type.store);
    if (side) row[side.key] = p('id');
    else if (resource.standardAttributes !== undefined) row.standard_attr_id = p('standard_attr_id');
    const query = db.withTables<Record<string, Values>>().insertInto(table).values(row);
    return table === main ? query.ignore() : query;
  });
}

/** Inserts the standard attributes of a new resource; returns their id. */
export function insertStandard(trx: Trx, resource: Resource, values: Values): Promise<number> {
  const { description = '', revision_number: revision = 0, created_at: now } = rowOf(resource, STANDARD, values);
  const attributes = {
    resource_type: resource.standardAttributes ?? '',
    description: String(description),
    revision_number: Number(revision),
  };
  // The time in the document, not a second later.
  return insertStandardAttributes(trx, attributes, typeof now === 'string' ? now : undefined);
}

/**
 * Inserts the row of a new resource. Returns false, and changes nothing, if a row with one of its unique keys exists.
 */
export async function insertMain<R extends Resource>(
  trx: Trx,
  resource: R,
  values: ColumnsOf<R>,
  attr?: number,
): Promise<boolean> {
  const { table } = layoutOf(resource);
  const result = await insertRow(trx, resource, table, { ...values, standard_attr_id: attr });
  return (result.numAffectedRows ?? 0n) > 0n;
}

/** Returns whether all attributes in a side table have their `absent` values. */
const isAbsent = (resource: Resource, table: string, values: Values): boolean =>
  (layoutOf(resource).byTable.get(table) ?? []).every(
    ({ attribute: { type, absent }, name }) => !(name in values) || stored(type, values[name]) === stored(type, absent),
  );

/** Inserts the rows of a new resource in its side tables; returns its plain attributes, as in responses. */
export async function insertSides<R extends Resource>(
  trx: Trx,
  resource: R,
  values: ColumnsOf<R> & { readonly id: string },
): Promise<ShownColumnsOf<R>> {
  for (const [table, side] of layoutOf(resource).sides) {
    if (side.always || !isAbsent(resource, table, values)) await insertRow(trx, resource, table, values);
  }
  return shownColumns(resource, values);
}

/**
 * Inserts a new resource with all its rows; returns its plain attributes, as in responses, and the id of its standard
 * attributes.
 */
export async function insertPlain<R extends Resource>(
  trx: Trx,
  resource: R,
  values: ColumnsOf<R> & { readonly id: string },
): Promise<{ readonly attr: number; readonly shown: ShownColumnsOf<R> }> {
  const attr = resource.standardAttributes === undefined ? undefined : await insertStandard(trx, resource, values);
  if (!(await insertMain(trx, resource, values, attr)))
    throw new Error(`a ${resource.name} with id ${values.id} or another of its unique keys exists already`);
  return { attr: attr ?? 0, shown: await insertSides(trx, resource, values) };
}

/** Returns the plain attributes that responses show. */
function shownColumns<R extends Resource>(resource: R, values: ColumnsOf<R>): ShownColumnsOf<R> {
  const all: Readonly<Record<string, unknown>> = values;
  // Copied, because an object that lost an attribute is slow from then on.
  const shown: Record<string, unknown> = {};
  for (const { name } of layoutOf(resource).shown) if (name in all) shown[name] = all[name];
  return shown as ShownColumnsOf<R>;
}

const assignments = (row: Row) =>
  sql.join(Object.entries(row).map(([column, value]) => sql`${sql.ref(column)} = ${value}`));

const update = (trx: Trx, table: string, row: Row, where: RawBuilder<SqlBool>) =>
  sql`update ${sql.table(table)} set ${assignments(row)} where ${where}`.execute(trx);

/** Writes the plain attributes in `changes`; `attr`: id of the standard attributes. */
export async function updatePlain<R extends Resource>(
  trx: Trx,
  resource: R,
  { id, attr = 0 }: { readonly id: string; readonly attr?: number },
  changes: Partial<ColumnsOf<R>>,
): Promise<void> {
  const { table: main, byTable, sides } = layoutOf(resource);
  for (const table of byTable.keys()) {
    const row = rowOf(resource, table, changes);
    if (Object.keys(row).length === 0) continue;
    const side = sides.get(table);
    if (table === main) await update(trx, main, row, sql`id = ${id}`);
    else if (table === STANDARD) await update(trx, STANDARD, row, sql`id = ${attr}`);
    else if (side) {
      const own = sql<SqlBool>`${sql.join([sql`${sql.ref(`${table}.${side.key}`)} = ${id}`, ...equals(table, side.constants)], sql` and `)}`;
      if (side.always) await update(trx, table, row, own);
      else {
        await sql`delete from ${sql.table(table)} where ${own}`.execute(trx);
        if (!isAbsent(resource, table, changes)) await insertRow(trx, resource, table, { ...changes, id });
      }
    }
  }
}

/**
 * Deletes a resource: its standard attributes, and by cascade all rows that refer to them; without standard attributes, its own
 * row. Rows that refer to it by foreign keys with `on delete cascade` are deleted too.
 */
export async function deletePlain(trx: Trx, resource: Resource, id: string): Promise<void> {
  const { table } = layoutOf(resource);
  const row = sql`from ${sql.table(table)} where id = ${id}`;
  if (resource.standardAttributes === undefined) await sql`delete ${row}`.execute(trx);
  else {
    const { rows } = await sql<{ attr: number }>`select standard_attr_id as attr ${row}`.execute(trx);
    const [{ attr } = { attr: 0 }] = rows;
    await trx.deleteFrom('standardattributes').where('id', '=', attr).execute();
  }
}

/** Returns the plain attributes of a validated body, for an insert or an update. */
export function plainOf<R extends Resource, V extends Readonly<Record<string, unknown>>>(
  resource: R,
  values: V,
): Pick<V, keyof V & keyof ColumnsOf<R>> {
  const picked: Record<string, unknown> = {};
  for (const { name } of layoutOf(resource).plain) if (name in values) picked[name] = values[name];
  return picked as Pick<V, keyof V & keyof ColumnsOf<R>>;
}

/** Returns whether two documents of a resource differ in attributes that these agents must be notified of (`tells`). */
export function differsFor<D extends Readonly<Record<string, unknown>>>(
  resource: Resource,
  listener: Listener,
  before: D,
  after: D,
): boolean {
  return Object.entries(resource.attributes).some(
    ([name, { tells }]) =>
      tells?.includes(listener) === true &&
      before[name] !== after[name] &&
      JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
}
