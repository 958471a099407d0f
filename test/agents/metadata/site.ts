import { request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Config } from '../../../src/config/options.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

export const SECRET = 'secret';

/** Options of a metadata agent whose Nova is on this machine. */
export const metadataConfig = (folder: string, novaPort: number): Partial<Config['DEFAULT']> => ({
  metadata_proxy_socket: join(folder, 'run', 'metadata_proxy'),
  metadata_proxy_shared_secret: SECRET,
  nova_metadata_host: '127.0.0.1',
  nova_metadata_port: novaPort,
});

/** Sends a request over a UNIX socket, as the proxy in a namespace does. Rejects if the answer is broken off. */
export function askSocket(socketPath: string, { method = 'GET', path = '/', headers = {}, body }: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers: headers as Record<string, string | string[]> }, (res) => {
      buffer(res).then(
        (all) => resolve({ status: res.statusCode ?? 0, headers: res.headers, text: all.toString('utf8') }),
        reject,
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
