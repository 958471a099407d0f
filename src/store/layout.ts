import { type Expression, type RawBuilder, sql } from 'kysely';
import type { Attribute, Resource, SideTable } from '../resources/attribute.ts';
import { stored } from '../resources/types.ts';

/**
 * Where a resource's plain attributes are stored, derived from its declaration: its own table, standardattributes, and side tables with
 * a row of their own. Select, insert and update work on all of them at once.
 */

/** The table of standard attributes. */
export const STANDARD = 'standardattributes';

/** An attribute with a column. */
export interface PlainAttribute {
  readonly name: string;
  readonly table: string;
  readonly column: string;
  readonly attribute: Attribute;
}

interface Layout {
  readonly table: string;
  readonly plain: readonly PlainAttribute[];
  readonly byTable: ReadonlyMap<string, readonly PlainAttribute[]>;
  readonly sides: ReadonlyMap<string, SideTable>;
}

const layouts = new WeakMap<object, Layout>();

/** Throws an Error for a declaration that cannot be stored: a programmer's mistake. */
export function layoutOf(resource: Resource): Layout {
  // What is served may be a copy of the declaration with fewer attributes.
  const known = layouts.get(resource.attributes);
  if (known) return known;
  const { table, sides = {} } = resource;
  if (table === undefined) throw new Error(`${resource.name} declares no table`);
  const plain = Object.entries(resource.attributes).flatMap(([name, attribute]) => {
    const [of = '', column = ''] = attribute.column?.split('.') ?? [];
    return attribute.column === undefined ? [] : [{ name, table: of, column, attribute }];
  });
  for (const { name, table: of } of plain) {
    if (of !== table && of !== STANDARD && !Object.hasOwn(sides, of))
      throw new Error(`${resource.name}.${name} is stored in ${of}, which ${resource.name} does not declare`);
    const side = sides[of];
    if (side && !side.always && plain.filter((p) => p.table === of).length > 1)
      throw new Error(`${of} stores several attributes of ${resource.name}: it must have a row for each (always)`);
  }
  const byTable = Map.groupBy(plain, (p) => p.table);
  const layout = { table, plain, byTable, sides: new Map(Object.entries(sides)) };
  layouts.set(resource.attributes, layout);
  return layout;
}

/** Conditions that a side table's fixed values hold. */
export const equals = (table: string, constants: SideTable['constants']): readonly RawBuilder<unknown>[] =>
  Object.entries(constants ?? {}).map(([column, value]) => sql`${sql.ref(`${table}.${column}`)} = ${value}`);

/** `from <table> join ...`, with those of the resource's other tables that `wanted` names. */
export function fromTables(resource: Resource, wanted: ReadonlySet<string>): RawBuilder<unknown> {
  const { table, sides } = layoutOf(resource);
  const joins = [...wanted].flatMap((name) => {
    if (name === table) return [];
    const ref = sql.table(name);
    if (name === STANDARD)
      return [sql`inner join ${ref} on ${sql.ref(`${STANDARD}.id`)} = ${sql.ref(`${table}.standard_attr_id`)}`];
    const side = sides.get(name);
    if (!side) return [];
    const own = sql`${sql.ref(`${name}.${side.key}`)} = ${sql.ref(`${table}.id`)}`;
    const on = sql.join([own, ...equals(name, side.constants)], sql` and `);
    return [side.always ? sql`inner join ${ref} on ${on}` : sql`left join ${ref} on ${on}`];
  });
  return sql`from ${sql.table(table)} ${sql.join(joins, sql` `)}`;
}

/** An attribute's column as filters compare it: of a side table without a row, the value that stands for it. */
export function columnOf(resource: Resource, attribute: Attribute): Expression<unknown> {
  const column = attribute.column ?? `${resource.table}.id`;
  const side = resource.sides?.[column.split('.')[0] ?? ''];
  const absent = side && !side.always ? stored(attribute.type, attribute.absent) : null;
  return absent === null || absent === undefined ? sql.ref(column) : sql`coalesce(${sql.ref(column)}, ${absent})`;
}

/** The table of an attribute's column. */
export const tableOf = ({ column }: Attribute): string => column?.split('.')[0] ?? '';
