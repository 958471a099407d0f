import { sql } from 'kysely';
import { EVENTS } from '../rpc/events.ts';
import { DHCP_AGENT_TOPIC } from '../rpc/topics/dhcp-agent.ts';
import type { HostingKind } from './hosting-kind.ts';

/** DHCP agents, which host networks. */
export const DHCP_AGENTS: HostingKind = {
  type: 'DHCP agent',
  topic: DHCP_AGENT_TOPIC.topic,
  hosted: {
    resource: 'network',
    all: sql`select id, name, availability_zone_hints from networks`,
    needsAgent: sql`exists (select 1 from subnets s where s.network_id = networks.id and s.enable_dhcp = 1)`,
  },
  bindings: { table: 'networkdhcpagentbindings', resource: 'network_id', agent: 'dhcp_agent_id' },
  loadKey: 'networks',
  options: {
    agents: 'dhcp_agents_per_network',
    scheduler: 'network_scheduler_driver',
    autoSchedule: 'network_auto_schedule',
    failover: 'allow_automatic_dhcp_failover',
    notification: 'dhcp_agent_notification',
  },
  notify: {
    added: (id) => ({ event: EVENTS.network_added_to_agent, payload: { network: { id } } }),
    removed: (id) => ({ event: EVENTS.network_removed_from_agent, payload: { network_id: id } }),
    updated: (admin_state_up) => ({ event: EVENTS.dhcp_agent_updated, payload: { admin_state_up } }),
  },
};

/** The kinds of agents that host resources. A new kind is one row here. */
export const HOSTING_KINDS: readonly HostingKind[] = [DHCP_AGENTS];

/** Types of agents that wire ports on their host, and so bind them. How each does it is in `plugin/ports/binding.ts`. */
export const L2_AGENT_TYPES = ['Linux bridge agent', 'Open vSwitch agent'] as const;
