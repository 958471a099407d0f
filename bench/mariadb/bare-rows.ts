import { randomUUID } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import { type Connection, createConnection, type ResultSetHeader } from 'mysql2/promise';
import { answerParent } from '../child.ts';
import { addressKeyOf, type PortNames, type RowPattern } from '../ports/row-patterns.ts';

/** Inserts ports with bare mysql2, in a separate process: one transaction per port, over several parallel connections. */
export interface MysqlRowsJob {
  readonly address: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  readonly patterns: readonly RowPattern[];
  readonly network: string;
  readonly subnet: string;
  readonly group: string;
  readonly pool: { readonly first: number; readonly last: number };
  /** Number of ports inserted before, so that no name is used twice. */
  readonly from: number;
  readonly count: number;
  readonly connections: number;
}

export interface MysqlRowsResult {
  readonly perSecond: number;
}

// Coprime to the size of the pool, so that consecutive ports have distant addresses, as with random allocation.
const STRIDE = 7_368_787;

/** Returns the names of the `index`-th port; MACs and addresses are unique while the pool has addresses. */
function namesOf({ network, subnet, group, pool }: MysqlRowsJob, index: number): PortNames {
  const octets = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
  const address = octets(pool.first + ((index * STRIDE) % (pool.last - pool.first + 1))).join('.');
  const mac = ['0a', '16', ...octets(index).map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
  return { port: randomUUID(), mac, address, network, subnet, group };
}

type Value = string | number | null;

const plain = (value: SQLInputValue): Value => (typeof value === 'string' || value === null ? value : Number(value));

async function insertPort(connection: Connection, job: MysqlRowsJob, index: number): Promise<void> {
  const names = namesOf(job, index);
  let standardAttr = 0;
  await connection.query('start transaction');
  for (const { table, columns, cells } of job.patterns) {
    const values = cells.map((cell): Value => {
      if (cell.is === 'constant') return plain(cell.value);
      if (cell.is === 'standard_attr') return standardAttr;
      return cell.is === 'address_key' ? addressKeyOf(names.address) : names[cell.is];
    });
    const marks = columns.map(() => '?').join(', ');
    // Prepared once per connection, because mysql2 caches statements by their text.
    const [result] = await connection.execute<ResultSetHeader>(
      `insert into \`${table}\` (${columns.map((c) => `\`${c}\``).join(', ')}) values (${marks})`,
      values,
    );
    if (table === 'standardattributes') standardAttr = result.insertId;
  }
  await connection.query('commit');
}

async function insertPorts(job: MysqlRowsJob): Promise<MysqlRowsResult> {
  const connections: Connection[] = [];
  try {
    for (let i = 0; i < job.connections; i++) {
      const connection = await createConnection(job.address);
      connections.push(connection);
      // As in Neutrino's sessions (src/db/mysql/open.ts).
      await connection.query('set session transaction isolation level read committed');
    }
    let next = job.from;
    const end = job.from + job.count;
    const began = performance.now();
    await Promise.all(
      connections.map(async (connection) => {
        while (next < end) await insertPort(connection, job, next++);
      }),
    );
    return { perSecond: (job.count * 1000) / (performance.now() - began) };
  } finally {
    await Promise.all(connections.map((connection) => connection.end()));
  }
}

answerParent(insertPorts);
