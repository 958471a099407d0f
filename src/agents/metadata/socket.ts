import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Config } from '../../config/options.ts';
import { ConfigError } from '../../config/parse.ts';

const MODES = { user: 0o644, group: 0o664, all: 0o666 } as const;
/** The times of Neutron's proxies: they send a request within 30 s, and wait 32 s for its answer. */
const HEADERS_MS = 30_000;
const REQUEST_MS = 32_000;
/** How long `close` waits for answers in progress. */
const DRAIN_MS = 2_000;
const MAX_CONNECTIONS = 4_096;

type SocketConfig = Pick<
  Config['DEFAULT'],
  | 'metadata_proxy_socket'
  | 'metadata_proxy_socket_mode'
  | 'metadata_proxy_user'
  | 'metadata_proxy_group'
  | 'metadata_backlog'
>;

/** The user and the group of a process, by id and name. */
export interface Identity {
  readonly user: readonly string[];
  readonly group: readonly string[];
}

/** Returns the permissions of the socket: connecting needs the right to write (unix(7)). */
export function socketMode(config: SocketConfig, own: Identity): number {
  const { metadata_proxy_socket_mode: mode, metadata_proxy_user: user, metadata_proxy_group: group } = config;
  if (mode === 'user' || mode === 'group' || mode === 'all') return MODES[mode];
  if (['', '0', 'root', ...own.user].includes(user)) return MODES.user;
  return ['', ...own.group].includes(group) ? MODES.group : MODES.all;
}

function ownIdentity(): Identity {
  const gid = String(process.getegid?.() ?? '');
  return { user: [String(process.geteuid?.() ?? ''), userName()], group: [gid, ...groupNames(gid)] };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in passwd(5), as in containers.
    return '';
  }
}

function groupNames(gid: string): readonly string[] {
  try {
    // group(5): name:password:gid:members
    const lines = readFileSync('/etc/group', 'utf8').split('\n');
    return lines.map((line) => line.split(':')).flatMap(([name = '', , id]) => (id === gid ? [name] : []));
  } catch {
    return [];
  }
}

/**
 * Serves HTTP on the configured UNIX socket, and replaces one that a process which was killed left behind. Throws ConfigError if
 * something else has the path, or a running process serves it. `close` removes the socket.
 */
export async function serveSocket(
  config: SocketConfig,
  listener: RequestListener,
): Promise<{ close(): Promise<void> }> {
  const { metadata_proxy_socket: path, metadata_backlog: backlog } = config;
  const server = createServer({ headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS }, listener);
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', refuseUnread);
  try {
    mkdirSync(dirname(path), { recursive: true });
    await removeDead(path);
    server.listen({ path, backlog });
    await once(server, 'listening');
    chmodSync(path, socketMode(config, ownIdentity()));
  } catch (error) {
    server.close();
    throw new ConfigError(`[DEFAULT] metadata_proxy_socket = ${path}: ${(error as Error).message}`);
  }
  return { close: () => closeServer(server) };
}

/** Answers what is not HTTP, or has a head of more than 16 KiB, such as a path of that length. */
function refuseUnread(_error: Error, socket: Duplex): void {
  if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  else socket.destroy();
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}

/** Removes a socket without a listener. Throws if something else has the path. */
async function removeDead(path: string): Promise<void> {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (!entry) return;
  if (!entry.isSocket()) throw new Error('there is something else, which is not a socket');
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ECONNREFUSED' && code !== 'ENOENT') throw error;
    rmSync(path, { force: true });
    return;
  } finally {
    socket.destroy();
  }
  throw new Error('another process serves it; stop that metadata agent first');
}
