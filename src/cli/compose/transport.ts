import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import { CliFailure } from '../process/failure.ts';

/**
 * The transport that the configuration names: RabbitMQ by `transport_url`, or, when that is empty, memory, which reaches this
 * process alone. `program` is how the broker's list of connections names it. Throws ConfigError for a transport_url that cannot be.
 */
export async function openTransport(config: Config, log: Logger, program: string): Promise<RpcTransport> {
  if (config.DEFAULT.transport_url === '') {
    const { createMemoryTransport } = await import('../../rpc/memory/transport.ts');
    return createMemoryTransport({ log });
  }
  // Only now: whoever runs everything in one process need not wait for the client of a broker to load.
  const { createRabbitTransport } = await import('../../rpc/rabbit/transport.ts');
  return createRabbitTransport({ config, log, programName: program });
}

/** Throws CliFailure that says what to write, for a command that has to reach other processes. */
export function requireTransportUrl(config: Config, command: string): void {
  if (config.DEFAULT.transport_url !== '') return;
  throw new CliFailure(
    `${command} talks to other processes through RabbitMQ, and transport_url is not set: write ` +
      '"transport_url = rabbit://USER:PASSWORD@HOST:5672/" into [DEFAULT] of a file given by --config-file ' +
      '(bin/neutrino up runs everything in one process and needs none)',
  );
}
