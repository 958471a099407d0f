/**
 * Loaded once per run by Vitest: a RabbitMQ and a MariaDB for all test files. Each starts when a test first
 * requests it (test/support/shared-services.ts). Tests that stop or kill a service start their own.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startMariadb } from '../support/mariadb.ts';
import { type BrokerFacts, type RabbitMq, startRabbitMq } from '../support/rabbitmq.ts';
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

  const server = createServer((request, response) => {
    const asked = request.url === '/rabbitmq' ? rabbitmq() : database();
    asked.then(
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
