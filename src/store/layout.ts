import { type Expression, type RawBuilder, sql } from 'kysely';
import type { Attribute, Resource, SideTable } from '../resources/attribute.ts';
import { stored } from '../resources/types.ts';

/**
 * The storage of a resource's plain attributes, derived from its declaration: its own table, standardattributes, and side tables.
 * Select, insert and update cover all of them.
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

export interface Layout {
  readonly table: string;
  readonly plain: readonly PlainAttribute[];
  /** Those of `plain` that responses show. */
  readonly shown: readonly PlainAttribute[];
  readonly byTable: ReadonlyMap<string, readonly PlainAttribute[]>;
  readonly sides: ReadonlyMap<string, SideTable>;
}

const layouts = new WeakMap<object, Layout>();

/** Throws an Error for a declaration that cannot be stored, which indicates a bug. */
export function layoutOf(resource: Resource): Layout {
  // The served declaration may be a copy with fewer attributes.
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
  const shown = plain.filter(({ attribute }) => attribute.visible !== false);
  const layout = { table, plain, shown, byTable, sides: new Map(Object.entries(sides)) };
  layouts.set(resource.attributes, layout);
  return layout;
}

/** Conditions on the constant columns of a side table. */
export const equals = (table: string, constants: SideTable['constants']): readonly RawBuilder<unknown>[] =>
  Object.entries(constants ?? {}).map(([column, value]) => sql`${sql.ref(`${table}.${column}`)} = ${value}`);

/** Returns `from <table> join ...` with the resource's other tables in `wanted`. */
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

/** Returns an attribute's column for use in filters; without a row in the side table, it has the `absent` value. */
export function columnOf(resource: Resource, attribute: Attribute): Expression<unknown> {
  const column = attribute.column ?? `${resource.table}.id`;
  const side = resource.sides?.[column.split('.')[0] ?? ''];
  const absent = side && !side.always ? stored(attribute.type, attribute.absent) : null;
  return absent === null || absent === undefined ? sql.ref(column) : sql`coalesce(${sql.ref(column)}, ${absent})`;
}

/** Returns the table of an attribute's column. */
export const tableOf = ({ column }: Attribute): string => column?.split('.')[0] ?? '';
