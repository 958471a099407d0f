import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { serveAgents } from '../../src/endpoints/serve.ts';
import type { RpcTransport } from '../../src/rpc/contract.ts';
import type { NetworkInfo } from '../../src/rpc/documents.ts';
import { createMemoryTransport } from '../../src/rpc/memory/transport.ts';
import { topicClient } from '../../src/rpc/topic.ts';
import { PLUGIN_TOPIC, type PluginMethods } from '../../src/rpc/topics/plugin.ts';
import { REPORTS_TOPIC, type ReportMethods } from '../../src/rpc/topics/reports.ts';
import { DHCP_AGENTS } from '../../src/scheduler/agent-kinds.ts';
import { bind } from '../../src/scheduler/bindings.ts';
import { type ConfigChanges, createWorld, type World } from '../plugin/world.ts';

/** A server's insides that serves agents on a transport, and clients that ask as agents do. */
export interface ServedWorld extends World {
  readonly transport: RpcTransport;
  readonly plugin: ReturnType<typeof topicClient<PluginMethods>>;
  readonly reports: ReturnType<typeof topicClient<ReportMethods>>;
  /** What `get_active_networks_info` gives as one list. */
  active(args: { host: string; enable_dhcp_filter?: boolean }): Promise<readonly NetworkInfo[]>;
  /** Asks with arguments of any form. */
  ask(method: string, args: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** A network with a DHCP subnet that the DHCP agent has. */
  served(agentId: string, cidr?: string): Promise<string>;
  /** Names like the ones in use, of nothing. */
  readonly nobody: string;
}

/** `transport`: default: memory. The world closes it. */
export async function createServedWorld(
  changes: ConfigChanges = {},
  transport: RpcTransport = createMemoryTransport({ log: pino({ level: 'silent' }) }),
): Promise<ServedWorld> {
  const world = await createWorld(changes);
  const serving = await serveAgents(world.core, world.allocator, transport);
  const plugin = topicClient(transport, PLUGIN_TOPIC);
  return {
    ...world,
    transport,
    plugin,
    async active(args) {
      const networks = await plugin.call('get_active_networks_info', args);
      if ('next_marker' in networks) throw new Error('it is a page');
      return networks;
    },
    reports: topicClient(transport, REPORTS_TOPIC),
    ask: (method, args) => transport.call({ topic: 'q-plugin' }, method, args, { version: '1.0', timeoutMs: 10_000 }),
    nobody: randomUUID(),
    async served(agentId, cidr = '10.0.0.0/24') {
      const network = await world.network();
      await world.subnet(network, cidr);
      await world.transaction((trx) => bind(trx, DHCP_AGENTS, network, agentId));
      return network;
    },
    async close() {
      await serving.close();
      await transport.close();
      await world.close();
    },
  };
}
