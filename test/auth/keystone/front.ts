import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { freePorts } from '../../support/free-ports.ts';

/** Handles a request in Keystone's place. */
type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

/** Stands before a Keystone: passes requests on, and knows them; or answers in its place. */
export class KeystoneFront {
  readonly #server: Server;
  readonly #target: string;
  /** Method and path of every request, such as `GET /v3/auth/tokens?nocatalog`. */
  readonly seen: string[] = [];
  /** Undefined: requests are passed on. */
  answer: Answerer | undefined;
  readonly url: string;

  private constructor(server: Server, port: number, target: string) {
    this.#server = server;
    this.#target = new URL(target).origin;
    this.url = `http://127.0.0.1:${port}/v3`;
    server.on('request', (incoming, response) => {
      this.seen.push(`${incoming.method} ${incoming.url}`);
      (this.answer ?? this.#pass)(incoming, response);
    });
  }

  static async start(target: string): Promise<KeystoneFront> {
    const [port = 0] = await freePorts(1);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new KeystoneFront(server, port, target);
  }

  /** Number of tokens that were asked about. */
  get validations(): number {
    return this.seen.filter((one) => one.startsWith('GET ')).length;
  }

  get logins(): number {
    return this.seen.filter((one) => one.startsWith('POST ')).length;
  }

  /** Passes requests on again, and forgets those it has seen. */
  reset(): void {
    this.answer = undefined;
    this.seen.length = 0;
  }

  readonly #pass: Answerer = (incoming, response) => {
    const { method, headers } = incoming;
    const onward = request(`${this.#target}${incoming.url}`, { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  };

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
