import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import { type RunningAgent, startHeartbeat } from '../common/heartbeat.ts';
import { PortLookup } from './port-lookup.ts';
import { metadataProvider } from './providers.ts';
import { MetadataProxy } from './proxy.ts';
import { serveSocket } from './socket.ts';

/** Maximum wait for the server, because the proxies in the namespaces wait 32 s for an answer. */
const LOOKUP_MS = 15_000;

interface MetadataAgentOptions {
  readonly config: Pick<Config, 'DEFAULT' | 'agent'>;
  readonly transport: RpcTransport;
  readonly log: Logger;
}

/**
 * Starts the metadata agent of this host, which answers on a UNIX socket. Resolves when it does. Throws ConfigError if the
 * socket or a certificate cannot be used.
 */
export async function startMetadataAgent({ config, transport, log }: MetadataAgentOptions): Promise<RunningAgent> {
  const { host, metadata_proxy_socket, nova_metadata_host, nova_metadata_port, rpc_response_timeout } = config.DEFAULT;
  const timeoutMs = Math.min(rpc_response_timeout * 1_000, LOOKUP_MS);
  const lookup = new PortLookup({ transport, timeoutMs });
  const provider = metadataProvider({ config, transport, timeoutMs, log });
  const proxy = new MetadataProxy({ lookup, provider, log });
  const socket = await serveSocket(config.DEFAULT, (req, res) => void proxy.serve(req, res)).catch(async (error) => {
    await provider.close();
    throw error;
  });
  const heartbeat = startHeartbeat({
    transport,
    intervalMs: config.agent.report_interval * 1_000,
    log,
    state: () => ({
      binary: 'neutron-metadata-agent',
      host,
      topic: 'N/A',
      agent_type: 'Metadata agent',
      configurations: { metadata_proxy_socket, nova_metadata_host, nova_metadata_port, log_agent_heartbeats: false },
    }),
  });
  const close = async () => {
    heartbeat.close();
    await socket.close();
    await provider.close();
  };
  return { reported: heartbeat.first, close };
}
