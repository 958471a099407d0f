import { join } from 'node:path';
import { pino } from 'pino';
import { defaultConfig } from '../../src/config/options.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openMysql } from '../../src/db/mysql/open.ts';
import { parseMysqlUrl } from '../../src/db/mysql/url.ts';
import { AddressAllocator } from '../../src/ipam/allocate.ts';
import type { Core, Document, RequestContext, ResourceRules } from '../../src/plugin/core.ts';
import { networkRules } from '../../src/plugin/networks/rules.ts';
import { portRules } from '../../src/plugin/ports/rules.ts';
import { subnetRules } from '../../src/plugin/subnets/rules.ts';
import type { Resource } from '../../src/resources/attribute.ts';
import { NETWORK } from '../../src/resources/network.ts';
import { PORT } from '../../src/resources/port.ts';
import { SUBNET } from '../../src/resources/subnet.ts';
import { validateCreate } from '../../src/resources/validate.ts';
import { makeFirstPort } from '../ports/first-port.ts';
import type { MysqlRowsJob } from './bare-rows.ts';

const CONTEXT: RequestContext = { projectId: 'fake_project_id', isAdmin: true, requestId: 'req-bench' };

export interface BareDatabase {
  /** What tells the job where and what to insert. */
  readonly job: Omit<MysqlRowsJob, 'from' | 'count' | 'connections'>;
  /** The body that answers the request, as JSON. */
  readonly answer: string;
}

/** Gives an empty database the product's schema and a network to insert ports into. `folder`: for the port that shows its rows. */
export async function makeBareDatabase(connection: string, folder: string): Promise<BareDatabase> {
  const { patterns, answer, pool } = await makeFirstPort(join(folder, 'pattern', 'neutrino.sqlite'));
  const { socketPath: _, ...address } = parseMysqlUrl(connection);
  const db = openMysql({ address, connections: 2 });
  try {
    await migrate(db);
    const core: Core = { db, config: defaultConfig(), log: pino({ level: 'silent' }) };
    const network = String((await make(NETWORK, networkRules(core), { name: 'bench' })).id);
    const wanted = { network_id: network, ip_version: 4, cidr: '10.0.0.0/8' };
    const subnet = String((await make(SUBNET, subnetRules(core), wanted)).id);
    // It makes the project's default security group. Its address lies before the pool that is filled.
    const port = { network_id: network, fixed_ips: [{ ip_address: '10.0.0.1' }] };
    const made = await make(PORT, portRules(core, new AddressAllocator()), port);
    const [group = ''] = made.security_groups as readonly string[];
    return { job: { address, patterns, network, subnet, group, pool }, answer };
  } finally {
    await db.close();
  }
}

async function make(resource: Resource, rules: ResourceRules, values: Document): Promise<Document> {
  const [made] = (await rules.create?.(CONTEXT, [validateCreate(resource, values, CONTEXT.projectId)])) ?? [];
  if (!made) throw new Error(`no ${resource.name} was made`);
  return made;
}
