import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { inNamespace } from '../../../../linux/in-namespace.ts';
import { namespacePath } from '../../../../linux/ip.ts';
import { hasIpv6 } from '../../../../linux/sysctl.ts';
import { deviceIndexIn, listenTcp, peerAddress } from '../../../../linux/tcp-sockets.ts';
import { METADATA_IPV4, METADATA_IPV6, METADATA_PORT } from '../../answers/metadata.ts';
import type { WantedProxy } from '../contract.ts';
import { ConnectionCount, Turns } from './bounds.ts';
import type { Forwarder } from './forward.ts';
import type { Report } from './messages.ts';

/** The limits of Neutron's haproxy; times in milliseconds. */
const LIMITS = {
  headersTimeout: 30_000,
  requestTimeout: 32_000,
  keepAliveTimeout: 30_000,
  maxHeaderSize: 16 * 1024,
} as const;
/** Longer than the metadata agent may be silent, so that its machine gets a 504. */
const SILENCE_MS = 40_000;
const BACKLOG = 1_024;

interface Served {
  proxy: WantedProxy;
  /** Which namespace and devices it listens in: others may have their names by now. */
  readonly place: string;
  readonly servers: readonly Server[];
}

/** The listening sockets of all networks. */
export class Listeners {
  readonly #forwarder: Forwarder;
  readonly #report: (report: Report) => void;
  readonly #served = new Map<string, Served>();
  readonly #turns = new Turns();
  readonly #connections = new ConnectionCount(() => this.#served.size);

  constructor(forwarder: Forwarder, report: (report: Report) => void) {
    this.#forwarder = forwarder;
    this.#report = report;
  }

  proxies(): readonly WantedProxy[] {
    return [...this.#served.values()].map(({ proxy }) => proxy);
  }

  get size(): number {
    return this.#served.size;
  }

  /** Listens for a network; correct sockets are left as they are. Throws if it cannot. */
  serve(proxy: WantedProxy): void {
    const { networkId, namespace, devices } = proxy;
    const { ino, dev } = statSync(namespacePath(namespace));
    const indexes = devices.map((device) => `${device} ${deviceIndexIn(namespace, device)}`);
    const place = [dev, ino, ...indexes].join();
    const before = this.#served.get(networkId);
    if (before?.place === place) {
      before.proxy = proxy;
      return;
    }
    const servers: Server[] = [];
    const served: Served = { proxy, place, servers };
    try {
      letSocketsMigrate(namespace);
      servers.push(this.#listen(served));
      if (hasIpv6()) for (const device of devices) servers.push(this.#listen(served, device));
    } catch (error) {
      closeAll(servers);
      throw error;
    }
    this.#served.set(networkId, served);
    closeAll(before?.servers);
  }

  stop(networkId: string): void {
    closeAll(this.#served.get(networkId)?.servers);
    this.#served.delete(networkId);
  }

  /** Stops listening. Resolves when the requests that have begun are answered. */
  async finish(): Promise<void> {
    const servers = [...this.#served.values()].flatMap((one) => one.servers);
    this.#served.clear();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  /** Listens on the IPv4 address, or on the IPv6 address of a device. */
  #listen(served: Served, device?: string): Server {
    const { namespace } = served.proxy;
    const version = device === undefined ? 4 : 6;
    const where = device === undefined ? { address: METADATA_IPV4 } : { address: METADATA_IPV6, device };
    const { fd } = listenTcp({ namespace, ...where, port: METADATA_PORT, backlog: BACKLOG });
    const server = createServer({ ...LIMITS, requireHostHeader: false }, (req, res) =>
      this.#answer(served, version, req, res),
    );
    server.setTimeout(SILENCE_MS);
    server.maxHeadersCount = 100;
    // Not maxConnections: it reads the addresses of a connection, which Node cannot in another namespace.
    server.on('connection', (socket) => {
      if (!this.#connections.admit(served, socket)) socket.destroy();
    });
    server.on('error', (error) => {
      this.#report({ level: 'warn', text: `network ${served.proxy.networkId}: ${error.message}` });
    });
    return server.listen({ fd, backlog: BACKLOG });
  }

  #answer(served: Served, version: 4 | 6, req: IncomingMessage, res: ServerResponse): void {
    this.#turns.take(req.socket, async () => {
      const peer = peerOf(req.socket);
      if (peer === undefined) res.destroy();
      else await this.#forwarder.serve(req, res, { proxy: served.proxy, version, peer });
    });
  }
}

/** An open socket, listening or connected, keeps its namespace and the devices there alive. */
function closeAll(servers: readonly Server[] = []): void {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
}

/** Returns the address of a connection's peer; undefined if it is gone. */
function peerOf(socket: Socket): string | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !('fd' in handle) || typeof handle.fd !== 'number')
    return undefined;
  try {
    return peerAddress(handle.fd);
  } catch {
    return undefined;
  }
}

const MIGRATE = '/proc/sys/net/ipv4/tcp_migrate_req';

/** Connections that wait for a process which stops listening go to the one that replaces it (Linux 5.14). */
function letSocketsMigrate(namespace: string): void {
  inNamespace(namespace, () => {
    if (existsSync(MIGRATE)) writeFileSync(MIGRATE, '1\n');
  });
}
