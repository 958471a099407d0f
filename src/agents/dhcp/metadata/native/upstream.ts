import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pause } from '../../../../time/pause.ts';

/** As haproxy, which tries again three times after a second each: so long a metadata agent may take to restart. */
const RETRY_MS = 3_000;
const PAUSE_MS = 200;
/** It is starting, it was killed, or it has no room for another connection right now. */
const TRANSIENT: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ECONNREFUSED', 'EAGAIN']);

/** Connects to the metadata agent's socket. Throws if it cannot be reached for three seconds, and if the signal aborts. */
export async function connectUpstream(path: string, signal: AbortSignal): Promise<Socket> {
  const deadline = performance.now() + RETRY_MS;
  for (;;) {
    const socket = connect({ path });
    try {
      await once(socket, 'connect', { signal });
      return socket;
    } catch (error) {
      socket.destroy();
      const { code } = error as NodeJS.ErrnoException;
      if (!TRANSIENT.has(code) || performance.now() > deadline) throw error;
      await pause(PAUSE_MS, signal);
    }
  }
}
