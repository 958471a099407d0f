import type { AddressAllocator } from '../ipam/allocate.ts';
import { reportState } from '../plugin/agents/report.ts';
import type { Core } from '../plugin/core.ts';
import type { RpcTransport } from '../rpc/contract.ts';
import { topicEndpoint } from '../rpc/topic.ts';
import { METADATA_TOPIC } from '../rpc/topics/metadata.ts';
import { PLUGIN_TOPIC } from '../rpc/topics/plugin.ts';
import { REPORTS_TOPIC } from '../rpc/topics/reports.ts';
import { dictionaryArgument } from './arguments.ts';
import { dhcpMethods } from './dhcp.ts';
import { l2Methods } from './l2.ts';
import { machineMethods } from './machines.ts';
import { portMethods } from './ports.ts';
import { securityGroupMethods } from './security-groups.ts';

/**
 * Serves agents: `q-plugin` with one endpoint for all methods (two would compete for messages), and `q-reports-plugin`
 * separately, so that heartbeats do not wait for long requests. `close` waits for running handlers.
 */
export async function serveAgents(
  core: Core,
  allocator: AddressAllocator,
  transport: RpcTransport,
): Promise<{ close(): Promise<void> }> {
  const { host } = core.config.DEFAULT;
  const plugin = topicEndpoint(PLUGIN_TOPIC, {
    ...dhcpMethods(core, allocator),
    ...l2Methods(core, allocator),
    ...portMethods(core),
    ...securityGroupMethods(core),
  });
  const metadata = topicEndpoint(METADATA_TOPIC, machineMethods(core));
  const all = { ...plugin, methods: { ...plugin.methods, ...metadata.methods } };
  const reports = topicEndpoint(REPORTS_TOPIC, {
    report_state: (args) => reportState(core, dictionaryArgument(args, 'agent_state').agent_state, args.time),
    has_alive_neutron_server: () => true,
  });
  // Concurrently, because without a broker each of them waits for a while.
  const served = await Promise.all([
    transport.serve(PLUGIN_TOPIC.topic, host, all),
    transport.serve(REPORTS_TOPIC.topic, host, reports),
  ]);
  return { close: async () => void (await Promise.all(served.map((one) => one.close()))) };
}
