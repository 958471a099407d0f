import type { PortDocument } from '../../../src/rpc/documents.ts';
import type { ClusterServer } from './cluster.ts';

/** The responses to clients that create ports. */
interface LoadReport {
  /** Ports acknowledged with 201. */
  readonly made: readonly PortDocument[];
  /** Rejected requests, by status. */
  readonly refused: ReadonlyMap<number, number>;
  /** Requests without a response, because their server was down. */
  readonly unanswered: number;
  /** Milliseconds of the slowest response. */
  readonly slowestMs: number;
}

export interface Load {
  /** Number of ports created so far. */
  made(): number;
  /** Stops after the current requests. */
  stop(): Promise<LoadReport>;
}

/** Creates ports in a network through all servers, with `makers` concurrent clients, until `stop`. */
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
      // A few ports per second from each client are enough load for a machine that runs the whole cluster.
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
