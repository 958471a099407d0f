import type { L2Agent, L2AgentType } from '../../scheduler/l2-agents.ts';
import { SWITCHED_BY_OTHERS } from '../provisioning.ts';
import type { NetworkFacts } from './network-facts.ts';

export interface Binding {
  readonly host: string;
  readonly vifType: string;
  readonly vifDetails: Readonly<Record<string, unknown>>;
  /** Name of the mechanism that bound it; undefined if none did. */
  readonly driver?: string;
}

/** What agents of a type bind, and how nova must plug the device. */
interface Mechanism {
  readonly driver: string;
  /** The VNIC type of the ports that it binds. */
  readonly vnicType: string;
  readonly vifType: string;
  /** The key of the reported configuration that lists the physical networks. */
  readonly mappings: string;
  /** Whether it binds ports of physical networks only: neither tunnels nor networks within the host. */
  readonly physicalOnly: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

const MECHANISMS: Readonly<Record<L2AgentType, Mechanism>> = {
  'Linux bridge agent': {
    driver: 'linuxbridge',
    vnicType: 'normal',
    physicalOnly: false,
    vifType: 'bridge',
    mappings: 'interface_mappings',
    details: { connectivity: 'l2', port_filter: true, bound_drivers: { '0': 'linuxbridge' } },
  },
  'Open vSwitch agent': {
    driver: 'openvswitch',
    vnicType: 'normal',
    physicalOnly: false,
    vifType: 'ovs',
    mappings: 'bridge_mappings',
    details: {
      connectivity: 'l2',
      port_filter: true,
      ovs_hybrid_plug: false,
      datapath_type: 'system',
      bridge_name: 'br-int',
      bound_drivers: { '0': 'openvswitch' },
    },
  },
  'Baremetal Node': {
    driver: 'baremetal',
    vnicType: 'baremetal',
    physicalOnly: true,
    vifType: SWITCHED_BY_OTHERS,
    mappings: 'bridge_mappings',
    details: { connectivity: 'l2', bound_drivers: { '0': 'baremetal' } },
  },
};

/** Returns whether the agent can reach the network's segment, according to its reported configuration. */
function reaches(agent: L2Agent, { mappings, physicalOnly }: Mechanism, network: NetworkFacts): boolean {
  const { networkType, physicalNetwork } = network;
  if (networkType === 'local') return !physicalOnly;
  if (networkType === 'flat' || networkType === 'vlan') {
    const known = agent.configurations[mappings] ?? agent.configurations.bridge_mappings;
    return (
      physicalNetwork !== null && known !== null && typeof known === 'object' && Object.hasOwn(known, physicalNetwork)
    );
  }
  if (physicalOnly) return false;
  const tunnels = agent.configurations.tunnel_types;
  return Array.isArray(tunnels) && tunnels.includes(networkType);
}

/**
 * Returns the binding of a port to a host, by the host's live L2 agent; failed if there is none or it cannot reach the network.
 */
export function bindPort(host: string, vnicType: string, network: NetworkFacts, agent: L2Agent | undefined): Binding {
  if (host === '') return { host, vifType: 'unbound', vifDetails: {} };
  const mechanism = agent && MECHANISMS[agent.agentType];
  if (!agent || !mechanism || vnicType !== mechanism.vnicType || !reaches(agent, mechanism, network))
    return { host, vifType: 'binding_failed', vifDetails: {} };
  return { host, vifType: mechanism.vifType, vifDetails: mechanism.details, driver: mechanism.driver };
}
