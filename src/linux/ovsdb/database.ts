import type { Logger } from 'pino';
import { backoffDelay } from '../../time/backoff.ts';
import { connectOvsdb, type OvsdbConnection, OvsdbRefused, OvsdbUnavailable } from './connection.ts';
import type { Row } from './values.ts';

const DATABASE = 'Open_vSwitch';
const RECONNECT = { firstMs: 100, maxMs: 5_000 };

export interface OvsdbOptions {
  readonly address: string;
  /** Milliseconds for one request (ovsdb_timeout). */
  readonly timeoutMs: number;
  /** Columns to keep a copy of, by table. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** Called after the copy has changed, with the tables in which rows did. */
  readonly onChange: (tables: ReadonlySet<string>) => void;
  readonly log: Logger;
}

interface RowUpdate {
  readonly old?: Row;
  readonly new?: Row;
}
type TableUpdates = Readonly<Record<string, Readonly<Record<string, RowUpdate>>>>;

/**
 * A copy of some columns of the local Open vSwitch database, which the server keeps up to date (RFC 7047, section 4.1.5), and
 * transactions on it. When the server restarts, the connection is opened again with a growing pause, and by every request.
 */
export class OvsdbDatabase {
  readonly #options: OvsdbOptions;
  readonly #tables = new Map<string, Map<string, Row>>();
  #connection: OvsdbConnection | undefined;
  #connecting: Promise<OvsdbConnection> | undefined;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: OvsdbOptions) {
    this.#options = options;
  }

  /** Resolves when the copy is complete. Throws OvsdbUnavailable. */
  async connected(): Promise<void> {
    await this.#open();
  }

  /** The rows of a table by their ids: empty before the first connection, and those last seen while there is none. */
  rows(table: string): ReadonlyMap<string, Row> {
    return this.#tables.get(table) ?? new Map();
  }

  /** Runs a transaction, and returns the result of each operation. Throws OvsdbUnavailable and OvsdbRefused. */
  async transact(operations: readonly object[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const connection = await this.#open();
    const results = (await connection.call('transact', [DATABASE, ...operations])) as readonly (Readonly<
      Record<string, unknown>
    > | null)[];
    // An error of the commit as a whole follows the results of the operations (RFC 7047, section 4.1.3).
    const failed = results.find((result) => result?.error !== undefined);
    if (failed) throw new OvsdbRefused('a transaction', failed);
    return results.map((result) => result ?? {});
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#connection?.close();
  }

  async #open(): Promise<OvsdbConnection> {
    if (this.#closed) throw new OvsdbUnavailable(this.#options.address, 'it was closed');
    if (this.#connection) return this.#connection;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<OvsdbConnection> {
    const { address, timeoutMs, columns, log } = this.#options;
    let ended = false;
    const early: TableUpdates[] = [];
    let listed = false;
    const connection = await connectOvsdb({
      address,
      timeoutMs,
      onNotification: (method, params) => {
        if (method !== 'update') return;
        const updates = params[1] as TableUpdates;
        if (listed) this.#apply(updates);
        else early.push(updates);
      },
      onEnd: (error) => {
        ended = true;
        if (this.#connection !== connection) return;
        this.#connection = undefined;
        log.warn({ err: error }, 'Open vSwitch is not reachable; reconnecting');
        this.#again();
      },
    });
    try {
      const requests = Object.fromEntries(
        Object.entries(columns).map(([table, names]) => [table, { columns: names }] as const),
      );
      const all = (await connection.call('monitor', [DATABASE, null, requests])) as TableUpdates;
      listed = true;
      this.#replace(all);
      for (const updates of early) this.#apply(updates);
      if (ended || this.#closed) throw new OvsdbUnavailable(address, 'the connection ended');
    } catch (error) {
      connection.close();
      throw error;
    }
    if (this.#failures > 0) log.info({ address }, 'Open vSwitch is reachable again');
    this.#failures = 0;
    this.#connection = connection;
    return connection;
  }

  #again(): void {
    if (this.#closed) return;
    this.#failures += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => void this.#open().catch(() => this.#again()),
      backoffDelay(this.#failures, RECONNECT),
    );
  }

  #replace(all: TableUpdates): void {
    const before = new Set(this.#tables.keys());
    this.#tables.clear();
    this.#apply(all, before);
  }

  #apply(updates: TableUpdates, changed = new Set<string>()): void {
    for (const [table, rows] of Object.entries(updates)) {
      const known = this.#tables.get(table) ?? new Map<string, Row>();
      this.#tables.set(table, known);
      changed.add(table);
      for (const [id, { new: now }] of Object.entries(rows)) {
        if (now) known.set(id, now);
        else known.delete(id);
      }
    }
    try {
      this.#options.onChange(changed);
    } catch (error) {
      this.#options.log.error({ err: error }, 'a listener of Open vSwitch failed');
    }
  }
}
