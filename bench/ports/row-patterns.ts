import type { SQLInputValue } from 'node:sqlite';

/** The values in which the rows of two ports differ. */
export interface PortNames {
  readonly port: string;
  readonly mac: string;
  /** IPv4, dotted. */
  readonly address: string;
  readonly network: string;
  readonly subnet: string;
  readonly group: string;
}

/**
 * A column's value in the rows of any port: one of its names, its address as a key, the id of its standard attributes, or a
 * constant.
 */
type Cell =
  | { readonly is: keyof PortNames | 'address_key' | 'standard_attr' }
  | { readonly is: 'constant'; readonly value: SQLInputValue };

/** A row that every port has. */
export interface RowPattern {
  readonly table: string;
  readonly columns: readonly string[];
  readonly cells: readonly Cell[];
}

/** Returns the key of an IPv4 address in the database: eight hex digits. */
export const addressKeyOf = (address: string): string =>
  address
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('');

/** Tables with auto-increment ids; the others are written after these, ports first, because of foreign keys. */
const COUNTED: readonly string[] = ['standardattributes', 'outbox'];
const ORDER: readonly string[] = ['standardattributes', 'ports'];

/** Converts the rows of one port into patterns for any port. Throws if they are not the rows of one port. */
export function rowPatterns(
  rows: readonly { readonly table: string; readonly row: Readonly<Record<string, SQLInputValue>> }[],
  names: PortNames,
): readonly RowPattern[] {
  const attributes = rows.filter((r) => r.table === 'standardattributes');
  const standardAttr = attributes[0]?.row.id;
  if (attributes.length !== 1 || !rows.some((r) => r.table === 'ports'))
    throw new Error(`these are not the rows of one port: ${rows.map((r) => r.table).join(', ')}`);
  const byName = new Map<SQLInputValue, Cell>(
    (Object.keys(names) as (keyof PortNames)[]).map((is) => [names[is], { is }]),
  );
  byName.set(addressKeyOf(names.address), { is: 'address_key' });
  const rank = (table: string) => (ORDER.includes(table) ? ORDER.indexOf(table) : ORDER.length);
  return [...rows]
    .sort((a, b) => rank(a.table) - rank(b.table))
    .map(({ table, row }) => {
      const columns = Object.keys(row).filter((column) => !(COUNTED.includes(table) && column === 'id'));
      const cells = columns.map((column): Cell => {
        if (column === 'standard_attr_id' && row[column] === standardAttr) return { is: 'standard_attr' };
        return byName.get(row[column] ?? null) ?? { is: 'constant', value: row[column] ?? null };
      });
      return { table, columns, cells };
    });
}
