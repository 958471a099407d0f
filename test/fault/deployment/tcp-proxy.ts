import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** When to break a connection on which a client sends the watched text. */
type Cut =
  /** Before the server has read it. */
  | 'before'
  /** After the server has read it, before its response arrives. */
  | 'after';

/** A proxy between clients and a server that can break connections. */
export interface TcpProxy {
  readonly port: number;
  /** Breaks all existing connections; new ones are accepted. */
  breakAll(): void;
  /**
   * Breaks the next connection on which a client sends this text; resolves when that has happened, or to undefined after the time
   * limit.
   */
  cutOn(text: string, cut: Cut, timeoutMs: number): Promise<true | undefined>;
  close(): Promise<void>;
}

interface Watch {
  readonly text: string;
  readonly cut: Cut;
  readonly done: () => void;
}

/** Starts one on a free port of an address; it forwards everything to a port of loopback, which need not exist yet. */
export async function startTcpProxy(address: string, targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  let watch: Watch | undefined;
  const listener: Server = createServer((client) => {
    const server = connect(targetPort, '127.0.0.1');
    const pair = { client, server };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.resetAndDestroy();
      server.destroy();
    };
    let deaf = false;
    client.on('data', (chunk) => {
      const hit = watch !== undefined && chunk.includes(watch.text) ? watch : undefined;
      if (hit) watch = undefined;
      if (hit?.cut === 'before') {
        end();
        return hit.done();
      }
      if (!server.write(chunk)) client.pause();
      if (!hit) return;
      deaf = true;
      server.once('data', () => {
        end();
        hit.done();
      });
    });
    server.on('data', (chunk) => {
      if (!deaf && !client.write(chunk)) server.pause();
    });
    server.on('drain', () => client.resume());
    client.on('drain', () => server.resume());
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
  });
  listener.listen(0, address);
  await once(listener, 'listening');
  const place = listener.address();
  if (typeof place !== 'object' || !place) throw new Error('a proxy has no address');
  const breakAll = () => {
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  };
  return {
    port: place.port,
    breakAll,
    async cutOn(text, cut, timeoutMs) {
      const { promise, resolve } = Promise.withResolvers<true | undefined>();
      watch = { text, cut, done: () => resolve(true) };
      const timer = setTimeout(() => {
        watch = undefined;
        resolve(undefined);
      }, timeoutMs);
      const happened = await promise;
      clearTimeout(timer);
      return happened;
    },
    async close() {
      breakAll();
      listener.close();
      await once(listener, 'close');
    },
  };
}
