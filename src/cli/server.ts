import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import type { Logger } from 'pino';
import { buildApi } from '../api/app.ts';
import { noauth } from '../api/context.ts';
import type { ServedResource } from '../api/routes/resource.ts';
import type { Config } from '../config/options.ts';
import type { Database } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { openSqlite } from '../db/sqlite/open.ts';
import { AddressAllocator } from '../ipam/allocate.ts';
import type { Core } from '../plugin/core.ts';
import { NETWORK_LIST } from '../plugin/networks/documents.ts';
import { IP_AVAILABILITY_LIST, ipAvailabilityRules } from '../plugin/networks/ip-availability.ts';
import { networkRules } from '../plugin/networks/rules.ts';
import { PORT_LIST } from '../plugin/ports/documents.ts';
import { portRules } from '../plugin/ports/rules.ts';
import { SUBNET_LIST } from '../plugin/subnets/documents.ts';
import { subnetRules } from '../plugin/subnets/rules.ts';
import { NETWORK } from '../resources/network.ts';
import { NETWORK_IP_AVAILABILITY } from '../resources/network-ip-availability.ts';
import { PORT } from '../resources/port.ts';
import { SUBNET } from '../resources/subnet.ts';
import type { RpcTransport } from '../rpc/contract.ts';

export interface ServerOptions {
  readonly config: Config;
  readonly transport: RpcTransport;
  readonly log: Logger;
}

export interface RunningServer {
  /** Where the API is: `http://127.0.0.1:9696`. */
  readonly url: string;
  /** Stops taking requests, lets those under way end, publishes what is committed, closes the database. */
  close(): Promise<void>;
}

/** Opens the database that `[database] connection` names. Throws naming what is wrong with it. */
export function openDatabase(config: Config): Database {
  const { connection, sqlite_synchronous: syncToDisk } = config.database;
  if (connection === '') return openSqlite({ path: join(config.DEFAULT.state_path, 'neutrino.sqlite'), syncToDisk });
  const match = /^sqlite:\/\/\/(.*)$/.exec(connection);
  if (!match) throw new Error(`[database] connection: '${connection}' is not of the form sqlite:////path/to/file`);
  return openSqlite({ path: match[1] === '' || match[1] === undefined ? ':memory:' : match[1], syncToDisk });
}

/** The resources that the API serves, with their rules. */
export function servedResources(core: Core): readonly ServedResource[] {
  const allocator = new AddressAllocator();
  return [
    { resource: NETWORK, rules: networkRules(core), conditions: NETWORK_LIST.conditions },
    { resource: SUBNET, rules: subnetRules(core), conditions: SUBNET_LIST.conditions },
    { resource: PORT, rules: portRules(core, allocator), conditions: PORT_LIST.conditions },
    {
      resource: NETWORK_IP_AVAILABILITY,
      rules: ipAvailabilityRules(core),
      conditions: IP_AVAILABILITY_LIST.conditions,
    },
  ];
}

/** Starts the server: database, rules, API. The 201 of a request goes out after its commit. */
export async function startServer({ config, log }: ServerOptions): Promise<RunningServer> {
  const db = openDatabase(config);
  await migrate(db);
  const core: Core = { db, config, log };
  const api = buildApi({ config, log: log as FastifyBaseLogger, identity: noauth, resources: servedResources(core) });
  const url = await api.listen({ host: config.DEFAULT.bind_host, port: config.DEFAULT.bind_port });
  return {
    url,
    async close() {
      await api.close();
      await db.close();
    },
  };
}
