import { inject } from 'vitest';
import { type Broker, type BrokerFacts, brokerAt } from './rabbitmq.ts';

/** Where to reach the MariaDB of the test run. */
export interface MariadbFacts {
  readonly socket: string;
  readonly port: number;
}

/** Longer than Debian's packages take to be installed. */
const START_MS = 900_000;

/** Returns a virtual host, for the caller alone, of the RabbitMQ that all test files share; the first call starts it. */
export const sharedBroker = async (): Promise<Broker> => brokerAt(await ask<BrokerFacts>('rabbitmq'));

/** Returns the MariaDB that all test files share (see `makeDatabase`); the first call starts it. */
export const sharedMariadb = (): Promise<MariadbFacts> => ask<MariadbFacts>('mariadb');

async function ask<T>(service: string): Promise<T> {
  const response = await fetch(`${inject('services')}/${service}`, { signal: AbortSignal.timeout(START_MS) });
  if (!response.ok) throw new Error(`${service} of the test run: ${await response.text()}`);
  return (await response.json()) as T;
}
