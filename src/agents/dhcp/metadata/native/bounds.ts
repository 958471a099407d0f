import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** Connections of one network, as in Neutron's haproxy. */
const MAX_OF_NETWORK = 1_024;
/** A network may have this share of the connections that are free, so that there is room for those of another one. */
const SHARE = 4;
/** Files of the process itself, and some more. */
const RESERVED_FILES = 256;
/** A connection and its counterpart to the metadata agent; the two listening sockets of a network, opened twice in a replacement. */
const FILES_OF_CONNECTION = 2;
const FILES_OF_NETWORK = 4;
/** Requests that a machine sends before it has the answer to an earlier one on the same connection. */
const MAX_QUEUED = 16;

/** Bounds the connections of each network, and those of all by the files that the process may open. */
export class ConnectionCount {
  readonly #networks: () => number;
  readonly #maxFiles: number;
  readonly #counts = new WeakMap<object, number>();
  #total = 0;

  /** `networks` returns how many networks are served. */
  constructor(networks: () => number, maxFiles = fileLimit()) {
    this.#networks = networks;
    this.#maxFiles = maxFiles;
  }

  /** Counts a connection until it is closed. Returns false if there are too many. */
  admit(network: object, socket: Socket): boolean {
    const files = this.#maxFiles - RESERVED_FILES - FILES_OF_NETWORK * this.#networks();
    const free = Math.floor(files / FILES_OF_CONNECTION) - this.#total;
    const count = this.#counts.get(network) ?? 0;
    if (count >= Math.min(MAX_OF_NETWORK, free / SHARE)) return false;
    this.#counts.set(network, count + 1);
    this.#total += 1;
    socket.once('close', () => {
      this.#counts.set(network, (this.#counts.get(network) ?? 1) - 1);
      this.#total -= 1;
    });
    return true;
  }
}

/** Returns how many files this process may open. */
function fileLimit(): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return soft === undefined ? 1_024 : Number(soft);
}

/** Serves the requests of each connection one after another, because Node begins with all that have arrived. */
export class Turns {
  readonly #last = new WeakMap<Socket, { readonly turn: Promise<unknown>; readonly queued: number }>();

  /** Runs when all earlier ones on this connection have ended, unless it is closed by then. Closes it if too many wait. */
  take(socket: Socket, run: () => Promise<void>): void {
    const last = this.#last.get(socket);
    if ((last?.queued ?? 0) >= MAX_QUEUED) {
      socket.destroy();
      return;
    }
    const turn = (last?.turn ?? Promise.resolve()).then(() => (socket.destroyed ? undefined : run()));
    const entry = { turn, queued: (last?.queued ?? 0) + 1 };
    this.#last.set(socket, entry);
    void turn.finally(() => this.#ended(socket));
  }

  #ended(socket: Socket): void {
    const last = this.#last.get(socket);
    if (last) this.#last.set(socket, { ...last, queued: last.queued - 1 });
  }
}
