import { Writable } from 'node:stream';
import pino from 'pino';
import { describe } from 'vitest';
import { defaultConfig } from '../../../src/config/options.ts';
import type { RpcTransport } from '../../../src/rpc/contract.ts';
import type { RabbitConfig } from '../../../src/rpc/rabbit/settings.ts';
import { createRabbitTransport } from '../../../src/rpc/rabbit/transport.ts';
import { rabbitMqObstacle } from '../../support/rabbitmq.ts';

/** The defaults with a transport_url, quick retries, and what is to be different. */
export function rabbitConfig(
  transportUrl: string,
  options: Partial<RabbitConfig['oslo_messaging_rabbit']> = {},
): RabbitConfig {
  const { DEFAULT, oslo_messaging_rabbit } = defaultConfig();
  return {
    DEFAULT: { ...DEFAULT, transport_url: transportUrl },
    oslo_messaging_rabbit: { ...oslo_messaging_rabbit, rabbit_interval_max: 2, ...options },
  };
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** A logger that keeps its lines. */
export function keptLog(level = 'info'): {
  log: pino.Logger;
  lines: LogLine[];
  at(least: 'info' | 'warn' | 'error'): string[];
} {
  const lines: LogLine[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(JSON.parse(chunk.toString('utf8')) as LogLine);
      done();
    },
  });
  const levels = { info: 30, warn: 40, error: 50 };
  return {
    log: pino({ level }, stream),
    lines,
    at: (least) => lines.filter((line) => line.level >= levels[least]).map((line) => line.msg),
  };
}

/** Transports that are closed together. */
export class Transports {
  readonly #open: RpcTransport[] = [];

  connect(config: RabbitConfig, log: pino.Logger = pino({ level: 'silent' })): RpcTransport {
    const transport = createRabbitTransport({ config, log, programName: 'neutrino-test' });
    this.#open.push(transport);
    return transport;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((transport) => transport.close()));
  }
}

const obstacle = rabbitMqObstacle();

/** Tests that need a broker; where none can be had they are skipped, and their title says why. */
export function describeWithBroker(name: string, tests: () => void): void {
  describe.skipIf(obstacle !== undefined)(obstacle === undefined ? name : `${name} (${obstacle})`, tests);
}
