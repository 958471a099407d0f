import type { Config } from '../../config/options.ts';
import type { AgentState } from '../../rpc/topics/reports.ts';
import { hostSegments } from './segment.ts';

/**
 * What the agent reports of itself, in the form of Neutron's linuxbridge agent: servers bind ports to a host by it (a network
 * of a type that is not among `tunnel_types`, or on a physical network without a mapping, cannot be bound here).
 */
export function agentState(
  config: Pick<Config, 'DEFAULT' | 'linux_bridge' | 'vxlan'>,
  /** Devices that are up. */
  devices: number,
): AgentState {
  const { physical, vxlanEnabled, vxlan } = hostSegments(config);
  return {
    binary: 'neutron-linuxbridge-agent',
    host: config.DEFAULT.host,
    topic: 'N/A',
    agent_type: 'Linux bridge agent',
    configurations: {
      extensions: [],
      bridge_mappings: {},
      interface_mappings: Object.fromEntries(physical),
      tunneling_ip: vxlan?.localIp ?? null,
      tunnel_types: vxlanEnabled ? ['vxlan'] : [],
      l2_population: false,
      devices,
    },
  };
}
