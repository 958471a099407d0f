import type { AgentKind } from '../compose/agent.ts';

/** All kinds of agents, in the order in which `up` starts them. A new kind is one row here. */
export const AGENT_KINDS: readonly AgentKind[] = [
  {
    name: 'l2-agent',
    title: 'L2 agent',
    description: 'the Linux bridge agent of this host, over RabbitMQ',
    programs: async () => ({ ip: 'iproute2' }),
    async deviceMark(agent) {
      const { agentMark } = await import('../../agents/l2/names.ts');
      return `@${agentMark(agent)}`;
    },
    stays: 'bridges and devices stay as they are',
    async start(parts) {
      const { startL2Agent } = await import('../../agents/l2/agent.ts');
      return startL2Agent(parts);
    },
  },
  {
    name: 'dhcp-agent',
    title: 'DHCP agent',
    description: 'the DHCP agent of this host, over RabbitMQ, for Neutrino or a stock neutron-server',
    async programs(config) {
      const { dhcpDriverKind } = await import('../../agents/dhcp/drivers/registry.ts');
      return { ip: 'iproute2', ...dhcpDriverKind(config).programs };
    },
    async deviceMark({ host }) {
      const { deviceMark } = await import('../../agents/dhcp/devices.ts');
      return deviceMark(host);
    },
    stays: 'dnsmasq keeps serving the machines',
    async start(parts) {
      const { composeDhcpAgent } = await import('../compose/dhcp-agent.ts');
      return composeDhcpAgent(parts);
    },
  },
];
