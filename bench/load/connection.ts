import { connect, type Socket } from 'node:net';
import { type CutResponse, cutResponse } from './response.ts';

const SILENCE_MS = 60_000;

/**
 * A keep-alive connection with one request at a time. It uses bare sockets, because the generator shares the machine's cores with
 * the measured server, and node:http would use more of them than the server.
 */
export class Connection {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #waiting: { resolve(response: CutResponse): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setTimeout(SILENCE_MS);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('timeout', () => socket.destroy(new Error(`no response within ${SILENCE_MS} ms`)));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static open(url: URL): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(url.port), url.hostname, () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
      socket.once('error', reject);
    });
  }

  /** Sends a whole request and waits for the whole response. */
  request(bytes: Buffer): Promise<CutResponse> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    try {
      const response = cutResponse(this.#bytes);
      if (!response) return;
      this.#bytes = this.#bytes.subarray(response.length);
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(response);
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}
