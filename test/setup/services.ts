/**
 * Loaded once per run by Vitest: a RabbitMQ, a MariaDB and a migrated SQLite file for all test files. Each starts when a test first
 * requests it (test/support/shared-services.ts). Tests that stop or kill a service start their own.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/db/migrate.ts';
import { openSqlite } from '../../src/db/sqlite/open.ts';
import { startMariadb } from '../support/mariadb.ts';
import { type BrokerFacts, type RabbitMq, startRabbitMq } from '../support/rabbitmq.ts';
import { scratchFolder } from '../support/scratch.ts';
import type { MariadbFacts } from '../support/shared-services.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL that provides the services of the run. */
    services: string;
    /** Which database `openCore` opens: `mariadb` or, when it is absent, SQLite. */
    database: 'mariadb';
  }
}

/** Virtual hosts, one per test file that requests the broker. */
const VHOSTS = Array.from({ length: 24 }, (_, i) => `test${i}`);
/** Larger messages are rejected, which test/rpc/rabbit/faults.system.test.ts needs. */
const CONF = ['max_message_size = 1000000'];

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const ends = new AsyncDisposableStack();
  const free = [...VHOSTS];
  let rabbit: Promise<RabbitMq> | undefined;
  let mariadb: Promise<MariadbFacts> | undefined;

  async function rabbitmq(): Promise<BrokerFacts> {
    rabbit ??= startRabbitMq({ vhosts: VHOSTS, conf: CONF }).then((started) => {
      ends.defer(started.dispose);
      return started;
    });
    const { facts } = await rabbit;
    const vhost = free.shift();
    if (vhost === undefined) throw new Error(`more than ${VHOSTS.length} test files ask for the broker`);
    return { ...facts, vhost };
  }
  function database(): Promise<MariadbFacts> {
    mariadb ??= startMariadb({ durable: false }).then((started) => {
      ends.defer(started.dispose);
      return { socket: started.socket, port: started.port };
    });
    return mariadb;
  }

  let schema: Promise<string> | undefined;
  function migratedSqlite(): Promise<string> {
    schema ??= (async () => {
      const folder = scratchFolder('neutrino-schema-');
      ends.defer(async () => rmSync(folder, { recursive: true, force: true }));
      const path = join(folder, 'neutrino.sqlite');
      const db = openSqlite({ path, syncToDisk: false });
      await migrate(db);
      await db.close();
      return path;
    })();
    return schema;
  }

  const services: Record<string, () => Promise<unknown>> = {
    '/rabbitmq': rabbitmq,
    '/mariadb': database,
    '/sqlite': migratedSqlite,
  };
  const server = createServer((request, response) => {
    const start = services[request.url ?? ''] ?? (() => Promise.reject(new Error(`no service ${request.url}`)));
    start().then(
      (facts) => response.end(JSON.stringify(facts)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  // The start has no time limit here, because the caller has one.
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.defer(async () => {
    server.closeAllConnections();
    server.close();
  });
  project.provide('services', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return () => ends.disposeAsync();
}
