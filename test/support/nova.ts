import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';

/** A request that arrived. */
interface NovaSaw {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Common name of the client's certificate. */
  readonly client: string | undefined;
}

type Answer = (saw: NovaSaw, res: ServerResponse) => void;

/** The other side of a metadata agent: a server in the place of Nova's metadata API, which records what arrives. */
export interface StandInNova {
  readonly port: number;
  readonly saw: NovaSaw[];
  /** Replaces the answer; default: 200 and the path as text. */
  answer(answer: Answer): void;
  close(): Promise<void>;
}

interface NovaTls {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export const sendText = (res: ServerResponse, status: number, text: string): void =>
  void res.writeHead(status, { 'content-type': 'text/plain; charset=UTF-8' }).end(text);

interface NovaOptions {
  /** Clients then need a certificate of the same CA. */
  readonly tls?: NovaTls;
  /** Default: 127.0.0.1. */
  readonly address?: string;
  /** Default: a free one. */
  readonly port?: number;
}

export async function startNova(options: NovaOptions = {}): Promise<StandInNova> {
  const saw: NovaSaw[] = [];
  const standard: Answer = ({ url }, res) => sendText(res, 200, url);
  let current = standard;
  const listener: RequestListener = async (req, res) => {
    const { method = '', url = '', headers, socket } = req;
    const client = options.tls ? String((socket as TLSSocket).getPeerCertificate().subject?.CN) : undefined;
    const body = (await buffer(req)).toString('utf8');
    const request = { method, url, headers, body, client };
    saw.push(request);
    current(request, res);
  };
  const { tls, address = '127.0.0.1', port = 0 } = options;
  const server: Server = tls
    ? createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true }, listener)
    : createServer(listener);
  server.listen(port, address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    saw,
    answer(answer) {
      current = answer;
    },
    async close() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}
