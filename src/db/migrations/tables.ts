import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import type { DialectName } from '../database.ts';

/** A column that refers to a row of another table. */
interface Reference {
  /** The other table. */
  readonly to: string;
  /** Column of the other table; default: `id`. */
  readonly key?: string;
  /** What happens to the row when the other one is deleted; default: the other one cannot be deleted. */
  readonly onDelete?: 'cascade' | 'set null';
}

/** What a table of a migration consists of. */
interface TableSpec {
  /**
   * Types of the columns; `?` at the end: null is allowed. The columns `id` of type `uuid` is the primary key unless `primary`
   * names others.
   */
  readonly columns: Readonly<Record<string, ColumnType | `${ColumnType}?`>>;
  readonly primary?: readonly string[];
  /** Values of columns that an insert omits; default: it must not omit them. */
  readonly defaults?: Readonly<Record<string, number>>;
  readonly references?: Readonly<Record<string, Reference>>;
  readonly unique?: readonly (readonly string[])[];
  readonly indexes?: readonly (readonly string[])[];
}

const TYPES = {
  uuid: 'varchar(36)',
  name: 'varchar(255)',
  short: 'varchar(64)',
  integer: 'integer',
  bigint: 'bigint',
  flag: 'integer',
  text: 'text',
  time: 'varchar(19)',
} as const;

type ColumnType = keyof typeof TYPES;

/** MySQL: maximum length of the name of a key. */
const MAX_NAME = 64;
const DUPLICATE_KEY_NAME = 1061;
const SQLITE_DUPLICATE = /^index \w+ already exists$/;

/** Creates a table unless it exists: a migration that was interrupted runs again. */
export async function createTable(
  db: Kysely<unknown>,
  dialect: DialectName,
  name: string,
  { columns, primary, defaults = {}, references = {}, unique = [], indexes = [] }: TableSpec,
): Promise<void> {
  let table: CreateTableBuilder<string> = db.schema.createTable(name).ifNotExists();
  for (const [column, type] of Object.entries(columns)) {
    const sqlType = TYPES[type.replace('?', '') as ColumnType];
    table = table.addColumn(column, sqlType, (c) => {
      const fallback = defaults[column];
      const filled = fallback === undefined ? c : c.defaultTo(fallback);
      return type.endsWith('?') ? filled : filled.notNull();
    });
  }
  table = table.addPrimaryKeyConstraint(`pk_${name}`, [...(primary ?? ['id'])] as never[]);
  // As constraints of the table: MySQL ignores references of a column.
  for (const [column, { to, key = 'id', onDelete }] of Object.entries(references))
    table = table.addForeignKeyConstraint(`fk_${name}_${column}`, [column as never], to, [key], (c) =>
      onDelete ? c.onDelete(onDelete) : c,
    );
  for (const key of unique)
    table = table.addUniqueConstraint(`uniq_${name}_${key.join('_')}`.slice(0, MAX_NAME), [...key] as never[]);
  // Names are compared as they are written.
  if (dialect === 'mysql') table = table.modifyEnd(sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin`);
  await table.execute();
  for (const key of indexes) await createIndex(db, name, key);
}

/** Creates an index unless it exists. */
export async function createIndex(db: Kysely<unknown>, table: string, columns: readonly string[]): Promise<void> {
  const index = db.schema
    .createIndex(`ix_${table}_${columns.join('_')}`)
    .on(table)
    .columns([...columns]);
  try {
    await index.execute();
  } catch (error) {
    // MySQL has no IF NOT EXISTS here: a migration that was interrupted has created it already.
    const { errno, message } = error as { errno?: unknown; message: string };
    if (errno !== DUPLICATE_KEY_NAME && !SQLITE_DUPLICATE.test(message)) throw error;
  }
}

/** id, project_id, name and standard attributes, with which the row is deleted: for `createTable`. */
export const OWNED = {
  columns: { id: 'uuid', project_id: 'name', name: 'name', standard_attr_id: 'bigint' },
  references: { standard_attr_id: { to: 'standardattributes', onDelete: 'cascade' } },
  unique: [['standard_attr_id']],
  indexes: [['project_id']],
} as const satisfies TableSpec;

/** Creates a table of what uses a QoS policy: `key` refers to the user's table. A policy cannot be deleted while it is used. */
export const createPolicyUses = (
  db: Kysely<unknown>,
  dialect: DialectName,
  table: string,
  { key, of }: { readonly key: string; readonly of: string },
): Promise<void> =>
  createTable(db, dialect, table, {
    columns: { policy_id: 'uuid', [key]: 'uuid' },
    primary: [key],
    references: { policy_id: { to: 'qos_policies' }, [key]: { to: of, onDelete: 'cascade' } },
    indexes: [['policy_id']],
  });

/** Creates the table of the RBAC entries of a resource (`sharing` of its declaration). */
export const createEntries = (
  db: Kysely<unknown>,
  dialect: DialectName,
  table: string,
  object: string,
): Promise<void> =>
  createTable(db, dialect, table, {
    columns: { id: 'uuid', object_id: 'uuid', project_id: 'name', target_project: 'name', action: 'short' },
    references: { object_id: { to: object, onDelete: 'cascade' } },
    unique: [['object_id', 'action', 'target_project']],
  });
