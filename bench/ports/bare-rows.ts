import { randomUUID } from 'node:crypto';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { answerParent } from '../child.ts';
import { addressKeyOf, type PortNames, type RowPattern } from './row-patterns.ts';

/** Inserts ports with the bare driver, in a separate process. */
export interface RowsJob {
  /** The database file, with its schema. */
  readonly path: string;
  readonly patterns: readonly RowPattern[];
  readonly network: string;
  readonly subnet: string;
  readonly group: string;
  readonly pool: { readonly first: number; readonly last: number };
  /** Number of ports inserted by this job before, so that no name is used twice. */
  readonly from: number;
  readonly count: number;
  /** Ports per transaction. */
  readonly perTransaction: number;
}

export interface RowsResult {
  readonly perSecond: number;
}

/** The pragmas of src/db/sqlite/open.ts, so that both have the same durability. */
export const PRAGMAS = [
  'busy_timeout = 10000',
  'journal_mode = wal',
  'synchronous = full',
  'wal_autocheckpoint = 4000',
  'foreign_keys = on',
  'temp_store = memory',
  'cache_size = -65536',
] as const;

// Coprime to the size of the pool (unless that is a multiple), so that consecutive ports have distant addresses.
const STRIDE = 7_368_787;

const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

/** Returns the names of the `index`-th port; MACs and addresses are unique per network while the pool has addresses. */
export function namesOf(job: Pick<RowsJob, 'network' | 'subnet' | 'group' | 'pool'>, index: number): PortNames {
  const { network, subnet, group, pool } = job;
  const size = pool.last - pool.first + 1;
  const address = dotted(pool.first + ((index * STRIDE) % size));
  // A range of MACs outside base_mac.
  const bytes = [index >>> 24, index >>> 16, index >>> 8, index].map((b) => (b & 255).toString(16).padStart(2, '0'));
  return { port: randomUUID(), mac: `0a:16:${bytes.join(':')}`, address, network, subnet, group };
}

export function insertPorts(db: DatabaseSync, job: RowsJob): void {
  const statements = job.patterns.map((pattern): [StatementSync, RowPattern] => {
    const columns = pattern.columns.map((c) => `"${c}"`).join(', ');
    const marks = pattern.columns.map(() => '?').join(', ');
    return [db.prepare(`insert into "${pattern.table}" (${columns}) values (${marks})`), pattern];
  });
  const begin = db.prepare('begin immediate');
  const commit = db.prepare('commit');
  const end = job.from + job.count;
  for (let at = job.from; at < end; at += job.perTransaction) {
    begin.run();
    for (let index = at; index < Math.min(end, at + job.perTransaction); index++) {
      const names = namesOf(job, index);
      let standardAttr: SQLInputValue = 0;
      for (const [statement, { table, cells }] of statements) {
        const values = cells.map((cell): SQLInputValue => {
          if (cell.is === 'constant') return cell.value;
          if (cell.is === 'standard_attr') return standardAttr;
          return cell.is === 'address_key' ? addressKeyOf(names.address) : names[cell.is];
        });
        const { lastInsertRowid } = statement.run(...values);
        if (table === 'standardattributes') standardAttr = lastInsertRowid;
      }
    }
    commit.run();
  }
}

if (process.send)
  answerParent((job: RowsJob): RowsResult => {
    const db = new DatabaseSync(job.path);
    try {
      for (const pragma of PRAGMAS) db.exec(`pragma ${pragma}`);
      const began = performance.now();
      insertPorts(db, job);
      return { perSecond: (job.count * 1000) / (performance.now() - began) };
    } finally {
      db.close();
    }
  });
