import type { AgentKind } from '../compose/agent.ts';

/** All kinds of agents, in the order in which `up` starts them. A new kind is one row here. */
export const AGENT_KINDS: readonly AgentKind[] = [
  {
    name: 'l2-agent',
    title: 'L2 agent',
    description: 'the Linux bridge agent of this host, over RabbitMQ',
    programs: { ip: 'iproute2' },
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
    programs: { ip: 'iproute2', dnsmasq: 'dnsmasq-base' },
    stays: 'dnsmasq keeps serving the machines',
    async start(parts) {
      const { composeDhcpAgent } = await import('../compose/dhcp-agent.ts');
      return composeDhcpAgent(parts);
    },
  },
];
