import { connect, type Socket } from 'node:net';
import { waitFor } from '../../time/wait.ts';
import { ovsdbTarget } from './address.ts';
import { JsonStream } from './json-stream.ts';

/** `ovsdb-server` cannot be reached, or does not answer; the message names its address. */
export class OvsdbUnavailable extends Error {
  constructor(address: string, why: string) {
    super(`the Open vSwitch database at ${address} cannot be used: ${why}`);
    this.name = 'OvsdbUnavailable';
  }
}

/** `ovsdb-server` rejected a request. */
export class OvsdbRefused extends Error {
  constructor(method: string, answer: unknown) {
    super(`the Open vSwitch database rejected ${method}: ${JSON.stringify(answer).slice(0, 500)}`);
    this.name = 'OvsdbRefused';
  }
}

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: unknown;
}

interface Pending {
  readonly method: string;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** A connection to an OVSDB server (RFC 7047, section 4). It is not opened again when it ends. */
export interface OvsdbConnection {
  /** Calls a method. Throws OvsdbUnavailable when no answer comes in time, and OvsdbRefused. */
  call(method: string, params: readonly unknown[]): Promise<unknown>;
  close(): void;
}

/** Connects. Throws OvsdbUnavailable. `onEnd` is called once when an open connection ends, except by `close`. */
export async function connectOvsdb(options: {
  readonly address: string;
  readonly timeoutMs: number;
  readonly onNotification: (method: string, params: readonly unknown[]) => void;
  readonly onEnd: (error: OvsdbUnavailable) => void;
}): Promise<OvsdbConnection> {
  const { address, timeoutMs } = options;
  const socket = connect(ovsdbTarget(address));
  try {
    const connected = new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    await waitFor('the connection', connected, timeoutMs);
  } catch (error) {
    socket.destroy();
    throw new OvsdbUnavailable(address, error instanceof Error ? error.message : String(error));
  }
  socket.removeAllListeners('error');
  return new Connection(socket, options);
}

class Connection implements OvsdbConnection {
  readonly #socket: Socket;
  readonly #options: Parameters<typeof connectOvsdb>[0];
  readonly #stream = new JsonStream();
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closed = false;
  #why = 'the connection ended';

  constructor(socket: Socket, options: Parameters<typeof connectOvsdb>[0]) {
    this.#socket = socket;
    this.#options = options;
    socket.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    socket.on('error', (error) => {
      this.#why = error.message;
    });
    socket.once('close', () => this.#ended());
  }

  async call(method: string, params: readonly unknown[]): Promise<unknown> {
    const { address, timeoutMs } = this.#options;
    if (this.#socket.destroyed) throw new OvsdbUnavailable(address, this.#why);
    const id = this.#nextId;
    this.#nextId += 1;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const late = new OvsdbUnavailable(address, `no answer to ${method} within ${timeoutMs} ms`);
    // A server that does not answer is as good as gone: whether the request took effect is found out by the next connection.
    const timer = setTimeout(() => this.#abandon(late.message), timeoutMs);
    this.#pending.set(id, { method, resolve, reject });
    this.#socket.write(JSON.stringify({ id, method, params }));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  close(): void {
    this.#closed = true;
    this.#abandon('it was closed');
  }

  #abandon(why: string): void {
    this.#why = why;
    this.#socket.destroy();
  }

  #ended(): void {
    const { address, onEnd } = this.#options;
    const error = new OvsdbUnavailable(address, this.#why);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    if (!this.#closed) onEnd(error);
  }

  #read(text: string): void {
    try {
      for (const message of this.#stream.push(text)) this.#take(message as Message);
    } catch (error) {
      this.#abandon(`unreadable answer (${error instanceof Error ? error.message : String(error)})`);
    }
  }

  #take({ id, method, params = [], result, error }: Message): void {
    if (method === 'echo') this.#socket.write(JSON.stringify({ id, result: params, error: null }));
    else if (method !== undefined) this.#options.onNotification(method, params);
    else {
      const pending = typeof id === 'number' ? this.#pending.get(id) : undefined;
      if (!pending) return;
      if (error === null || error === undefined) pending.resolve(result);
      else pending.reject(new OvsdbRefused(pending.method, error));
    }
  }
}
