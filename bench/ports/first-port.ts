import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { defaultConfig } from '../../src/config/options.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openSqlite } from '../../src/db/sqlite/open.ts';
import type { Core } from '../../src/plugin/core.ts';
import { creatorIn } from './create.ts';
import { requestOfTheDay } from './request.ts';
import { type PortNames, type RowPattern, rowPatterns } from './row-patterns.ts';

/** A database with one port, created by Neutrino's own rules, and the rows of that port. */
export interface FirstPort {
  /** The rows added by creating the port, in an order that foreign keys allow. */
  readonly patterns: readonly RowPattern[];
  /** Identifiers of the port in this database. */
  readonly names: PortNames;
  /** The body of the response, as JSON. */
  readonly answer: string;
  /** The allocation pool, as numbers. */
  readonly pool: { readonly first: number; readonly last: number };
}

const POOL = { first: 0x0a000002, last: 0x0afffffe };

/** Creates the database at `path` with a network, a subnet and a port. */
export async function makeFirstPort(path: string): Promise<FirstPort> {
  const db = openSqlite({ path });
  await migrate(db);
  const core: Core = { db, config: defaultConfig(), log: pino({ level: 'silent' }) };
  const make = creatorIn(core);
  const network = await make('network', { name: 'bench' });
  const subnet = await make('subnet', {
    network_id: network.id,
    ip_version: 4,
    cidr: '10.0.0.0/8',
  });
  // The first port of a project also creates its default security group, and is not counted.
  const earlier = await make('port', { network_id: network.id });
  const [group] = earlier.security_groups as readonly [string];

  const file = new DatabaseSync(path, { readOnly: true });
  const before = lastRows(file);
  const port = await make('port', requestOfTheDay(String(network.id), group));
  const added = addedRows(file, before);
  file.close();
  await db.close();
  const [{ ip_address: address }] = port.fixed_ips as readonly [{ ip_address: string }];
  const names: PortNames = {
    port: String(port.id),
    mac: String(port.mac_address),
    address,
    network: String(network.id),
    subnet: String(subnet.id),
    group,
  };
  return { patterns: rowPatterns(added, names), names, answer: JSON.stringify({ port }), pool: POOL };
}

const tables = (file: DatabaseSync): readonly string[] =>
  file
    .prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    .all()
    .map((row) => String(row.name));

const lastRows = (file: DatabaseSync): ReadonlyMap<string, number> =>
  new Map(tables(file).map((t) => [t, Number(file.prepare(`select max(rowid) as last from "${t}"`).get()?.last ?? 0)]));

const addedRows = (file: DatabaseSync, before: ReadonlyMap<string, number>) =>
  [...before].flatMap(([table, last]) =>
    file
      .prepare(`select * from "${table}" where rowid > ?`)
      .all(last)
      .map((row) => ({ table, row: { ...row } })),
  );
