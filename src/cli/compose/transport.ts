import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import { CliFailure } from '../process/failure.ts';

/**
 * Opens the configured transport: RabbitMQ at `transport_url`, or memory within this process if that is empty.
 * `program` is its name in the broker's list of connections. Throws ConfigError for an invalid transport_url.
 */
export async function openTransport(config: Config, log: Logger, program: string): Promise<RpcTransport> {
  if (config.DEFAULT.transport_url === '') {
    const { createMemoryTransport } = await import('../../rpc/memory/transport.ts');
    return createMemoryTransport({ log });
  }
  // Imported late: a single process need not wait for the RabbitMQ client to load.
  const { createRabbitTransport } = await import('../../rpc/rabbit/transport.ts');
  return createRabbitTransport({ config, log, programName: program });
}

/** Throws CliFailure, which says what to configure, if a command cannot reach other processes. */
export function requireTransportUrl(config: Config, command: string): void {
  if (config.DEFAULT.transport_url !== '') return;
  throw new CliFailure(
    `${command} communicates with other processes through RabbitMQ, and transport_url is not set: write ` +
      '"transport_url = rabbit://USER:PASSWORD@HOST:5672/" into [DEFAULT] of a file named by --config-file ' +
      '(bin/neutrino up runs everything in one process and needs none)',
  );
}
