import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';

interface Reply {
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

/**
 * Sends a request over the UNIX socket of a metadata agent, as the proxy in a namespace does. Rejects if the answer is broken
 * off.
 */
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
