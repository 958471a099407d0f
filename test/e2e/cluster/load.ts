import type { PortDocument } from '../../../src/rpc/documents.ts';
import type { ClusterServer } from './cluster.ts';

/** What makers of ports have seen. */
interface LoadReport {
  /** Ports that a server has answered 201 for. */
  readonly made: readonly PortDocument[];
  /** Requests that a server has refused, by status. */
  readonly refused: ReadonlyMap<number, number>;
  /** Requests without an answer: their server was gone. */
  readonly unanswered: number;
  /** Milliseconds that the slowest answered request took. */
  readonly slowestMs: number;
}

export interface Load {
  /** How many ports were made so far. */
  made(): number;
  /** Lets the requests under way end. */
  stop(): Promise<LoadReport>;
}

/** Begins to make ports in a network through all servers, `makers` of them side by side, until `stop`. */
export function startLoad(servers: readonly ClusterServer[], networkId: string, host: string, makers: number): Load {
  const made: PortDocument[] = [];
  const refused = new Map<number, number>();
  let unanswered = 0;
  let slowestMs = 0;
  let stopping = false;
  const work = async (api: ClusterServer['api']) => {
    while (!stopping) {
      const began = performance.now();
      const port = { network_id: networkId, 'binding:host_id': host, device_owner: 'compute:nova', device_id: 'load' };
      try {
        const { status, body } = await api.request('POST', 'ports', { port });
        slowestMs = Math.max(slowestMs, performance.now() - began);
        if (status === 201) made.push(body.port as PortDocument);
        else refused.set(status, (refused.get(status) ?? 0) + 1);
      } catch {
        unanswered += 1;
      }
      // A few ports a second from each are load enough for a machine that runs the whole cluster.
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  };
  const working = Array.from({ length: makers }, (_, i) => work((servers[i % servers.length] as ClusterServer).api));
  return {
    made: () => made.length,
    async stop() {
      stopping = true;
      await Promise.all(working);
      return { made, refused, unanswered, slowestMs };
    },
  };
}
