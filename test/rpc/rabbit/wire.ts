import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A wire between clients and a broker that can be cut and held. */
export interface Wire {
  readonly port: number;
  /** Connections open through it. */
  readonly open: number;
  /** Connections taken since the start. */
  readonly taken: number;
  /** Ends all connections at once. */
  cut(): void;
  /** While held, nothing passes either way, and nobody hears why: as when a cable is pulled. */
  hold(held: boolean): void;
  /** Which new connections are refused: all, none, or every second one. */
  refuse(refused: boolean | 'second'): void;
  close(): Promise<void>;
}

export async function startWire(brokerPort: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let held = false;
  let refused: boolean | 'second' = false;
  let asked = 0;
  let taken = 0;

  const server = createServer((client) => {
    asked += 1;
    if (refused === true || (refused === 'second' && asked % 2 === 0)) {
      client.destroy();
      return;
    }
    taken += 1;
    const upstream = connect(brokerPort, '127.0.0.1');
    const ends = [client, upstream] as const;
    for (const [index, from] of ends.entries()) {
      const to = ends[1 - index] as Socket;
      sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (chunk) => to.write(chunk));
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        // The broker misses heartbeats too and hangs up: through a pulled cable nobody hears of it.
        if (!held) to.destroy();
      });
      if (held) from.pause();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    get open() {
      return sockets.size / 2;
    },
    get taken() {
      return taken;
    },
    cut,
    hold: (wanted) => {
      held = wanted;
      for (const socket of sockets) {
        if (held) socket.pause();
        else socket.resume();
      }
    },
    refuse: (wanted) => {
      refused = wanted;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}
