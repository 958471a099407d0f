import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Config } from '../config/options.ts';

export interface NeutrinoParts {
  readonly config: Config;
  /** Whether the agents of this host run beside the server. */
  readonly agents: boolean;
  readonly log: Logger;
}

export interface RunningParts {
  /** Base URL of the API, with the port that was taken. */
  readonly url: string;
  /** Stops server and agents; what serves machines (dnsmasq, bridges) stays. */
  close(): Promise<void>;
}

/** Composition root of `up`: builds everything and wires it. Throws when something cannot start. */
export async function startNeutrino({ config, log }: NeutrinoParts): Promise<RunningParts> {
  const server = createServer((_request, response) => {
    response.writeHead(503, { 'content-type': 'application/json' }).end('{"versions": []}\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(config.DEFAULT.bind_port, config.DEFAULT.bind_host, resolve);
  });
  log.warn('the server is not composed yet');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${config.DEFAULT.bind_host}:${port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
