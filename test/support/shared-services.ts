import { inject } from 'vitest';
import { type Broker, type BrokerFacts, brokerAt } from './rabbitmq.ts';

/** The socket and address of the test run's MariaDB. */
export interface MariadbFacts {
  readonly socket: string;
  readonly port: number;
}

/** Long enough for Debian's packages to be installed. */
const START_MS = 900_000;

/** Returns a private virtual host of the RabbitMQ that all test files share; the first call starts it. */
export const sharedBroker = async (): Promise<Broker> => brokerAt(await ask<BrokerFacts>('rabbitmq'));

/** Returns the MariaDB that all test files share (see `makeDatabase`); the first call starts it. */
export const sharedMariadb = (): Promise<MariadbFacts> => ask<MariadbFacts>('mariadb');

let schema: Promise<string> | undefined;

/** Returns an SQLite file with the current schema, to be copied; the first call of the run migrates it. */
export function migratedSqlite(): Promise<string> {
  schema ??= ask<string>('sqlite');
  return schema;
}

async function ask<T>(service: string): Promise<T> {
  const response = await fetch(`${inject('services')}/${service}`, { signal: AbortSignal.timeout(START_MS) });
  if (!response.ok) throw new Error(`${service} of the test run: ${await response.text()}`);
  return (await response.json()) as T;
}
