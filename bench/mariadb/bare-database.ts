import { join } from 'node:path';
import { pino } from 'pino';
import { defaultConfig } from '../../src/config/options.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openMysql } from '../../src/db/mysql/open.ts';
import { parseMysqlUrl } from '../../src/db/mysql/url.ts';
import type { Core } from '../../src/plugin/core.ts';
import { creatorIn } from '../ports/create.ts';
import { makeFirstPort } from '../ports/first-port.ts';
import type { MysqlRowsJob } from './bare-rows.ts';

export interface BareDatabase {
  /** Database, tables and values for the job. */
  readonly job: Omit<MysqlRowsJob, 'from' | 'count' | 'connections'>;
  /** The body of the response, as JSON. */
  readonly answer: string;
}

/** Creates Neutrino's schema in an empty database, and a network for the ports. `folder`: for the database of the sample port. */
export async function makeBareDatabase(connection: string, folder: string): Promise<BareDatabase> {
  const { patterns, answer, pool } = await makeFirstPort(join(folder, 'pattern', 'neutrino.sqlite'));
  const { socketPath: _, ...address } = parseMysqlUrl(connection);
  const db = openMysql({ address, connections: 2 });
  try {
    await migrate(db);
    const core: Core = { db, config: defaultConfig(), log: pino({ level: 'silent' }) };
    const make = creatorIn(core);
    const network = String((await make('network', { name: 'bench' })).id);
    const wanted = { network_id: network, ip_version: 4, cidr: '10.0.0.0/8' };
    const subnet = String((await make('subnet', wanted)).id);
    // It creates the project's default security group. Its address precedes the pool that is filled.
    const port = { network_id: network, fixed_ips: [{ ip_address: '10.0.0.1' }] };
    const made = await make('port', port);
    const [group = ''] = made.security_groups as readonly string[];
    return { job: { address, patterns, network, subnet, group, pool }, answer };
  } finally {
    await db.close();
  }
}
