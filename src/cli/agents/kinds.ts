import type { AgentKind } from '../compose/agent.ts';

/** All kinds of agents, in the order in which `up` starts them. A new kind is one row here. */
export const AGENT_KINDS: readonly AgentKind[] = [
  {
    name: 'l2-agent',
    title: 'L2 agent',
    description: 'run the L2 agent of this host (Linux bridge), connected through RabbitMQ',
    async programs(config) {
      const { l2DriverKind } = await import('../../agents/l2/drivers/registry.ts');
      const { firewallKind } = await import('../../agents/firewall/drivers/registry.ts');
      return { ip: 'iproute2', ...l2DriverKind(config).programs, ...firewallKind(config).programs };
    },
    async deviceMark(agent, config) {
      const { l2DriverKind } = await import('../../agents/l2/drivers/registry.ts');
      return l2DriverKind(config).mark(agent);
    },
    remains: 'bridges and devices are left unchanged',
    async start(parts) {
      const { startL2Agent } = await import('../../agents/l2/agent.ts');
      const { l2DriverKind } = await import('../../agents/l2/drivers/registry.ts');
      const { firewallKind } = await import('../../agents/firewall/drivers/registry.ts');
      const { config, log } = parts;
      return startL2Agent({ ...parts, driver: l2DriverKind(config), firewall: firewallKind(config, log) });
    },
  },
  {
    name: 'dhcp-agent',
    title: 'DHCP agent',
    description: 'run the DHCP agent of this host, connected through RabbitMQ to Neutrino or a stock neutron-server',
    async programs(config) {
      const { dhcpDriverKind } = await import('../../agents/dhcp/drivers/registry.ts');
      const { interfaceDriverKind } = await import('../../agents/interface/drivers/registry.ts');
      return { ip: 'iproute2', ...interfaceDriverKind(config).programs, ...dhcpDriverKind(config).programs };
    },
    async examine(config) {
      const { dhcpDriverKind } = await import('../../agents/dhcp/drivers/registry.ts');
      return (await dhcpDriverKind(config).examine?.()) ?? {};
    },
    async deviceMark({ host }) {
      const { deviceMark } = await import('../../agents/dhcp/devices.ts');
      return deviceMark(host);
    },
    async relabel(from, to, config) {
      const { interfaceDriverKind } = await import('../../agents/interface/drivers/registry.ts');
      return (await interfaceDriverKind(config).relabel?.(config, from, to)) ?? [];
    },
    remains: 'DHCP keeps serving the machines',
    async start(parts) {
      const { composeDhcpAgent } = await import('../compose/dhcp-agent.ts');
      return composeDhcpAgent(parts);
    },
  },
  {
    name: 'metadata-agent',
    title: 'metadata agent',
    description:
      'run the metadata agent of this host, which answers machines or passes their requests to Nova, connected through RabbitMQ',
    programs: async () => ({}),
    unprivileged: true,
    remains: 'machines get no metadata until it runs again',
    async start(parts) {
      const { startMetadataAgent } = await import('../../agents/metadata/agent.ts');
      return startMetadataAgent(parts);
    },
  },
];
