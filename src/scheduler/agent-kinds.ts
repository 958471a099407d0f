import { sql } from 'kysely';
import { EVENTS } from '../rpc/events.ts';
import { DHCP_AGENT_TOPIC } from '../rpc/topics/dhcp-agent.ts';
import { L3_AGENT_TOPIC } from '../rpc/topics/l3-agent.ts';
import type { HostingKind } from './hosting-kind.ts';

const DHCP_AGENT = 'DHCP agent';

/** DHCP agents, which host networks. */
export const DHCP_AGENTS: HostingKind = {
  type: DHCP_AGENT,
  topic: DHCP_AGENT_TOPIC.topic,
  hosted: {
    resource: 'network',
    all: sql`select id, name, availability_zone_hints, 0 as single from networks`,
    needsAgent: sql`exists (select 1 from subnets s where s.network_id = networks.id and s.enable_dhcp = 1)`,
    // The segments of routed networks: DHCP servers are where their machines are. Other networks are on hosts that reach them, where
    // a physical network carries them; if no host of a DHCP agent is known to, there is nothing to go by.
    parts: (ids) => sql`
      select s.network_id as resource_id, s.segment_id as part_id, m.host as host
      from subnets s left join segmenthostmappings m on m.segment_id = s.segment_id
      where s.network_id in (${ids}) and s.segment_id is not null and s.enable_dhcp = 1
      union all
      select n.network_id, '', m.host from networksegments n inner join segmenthostmappings m on m.segment_id = n.id
      inner join agents a on a.host = m.host and a.agent_type = ${DHCP_AGENT}
      where n.network_id in (${ids})
        and (select count(*) from networksegments o where o.network_id = n.network_id and o.physical_network is null) = 0
        and (select count(*) from subnets s where s.network_id = n.network_id and s.segment_id is not null) = 0`,
    isDivided: sql`exists (select 1 from subnets s
      where s.network_id = hosted.id and s.segment_id is not null and s.enable_dhcp = 1)`,
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

/** L3 agents, which host routers. Only highly available routers have several agents. */
export const L3_AGENTS: HostingKind = {
  type: 'L3 agent',
  topic: L3_AGENT_TOPIC.topic,
  hosted: {
    resource: 'router',
    all: sql`select routers.id, name, e.availability_zone_hints, 1 - e.ha as single
      from routers inner join router_extra_attributes e on e.router_id = routers.id`,
    needsAgent: sql`(e.ha = 1 or exists (select 1 from routerports p where p.router_id = routers.id))`,
    redundant: sql`e.ha = 1`,
  },
  bindings: { table: 'routerl3agentbindings', resource: 'router_id', agent: 'l3_agent_id' },
  loadKey: 'routers',
  options: {
    agents: 'max_l3_agents_per_router',
    scheduler: 'router_scheduler_driver',
    autoSchedule: 'router_auto_schedule',
    failover: 'allow_automatic_l3agent_failover',
  },
  notify: {
    added: (id) => ({ event: EVENTS.router_added_to_agent, payload: { payload: [id] } }),
    removed: (id) => ({ event: EVENTS.router_removed_from_agent, payload: { payload: { router_id: id } } }),
    updated: (admin_state_up) => ({ event: EVENTS.l3_agent_updated, payload: { payload: { admin_state_up } } }),
  },
};

/** The kinds of agents that host resources. A new kind is one row here. */
export const HOSTING_KINDS: readonly HostingKind[] = [DHCP_AGENTS, L3_AGENTS];

/**
 * Types of agents that bind the ports of their host. How each does it is in `plugin/ports/binding.ts`. The host of a `Baremetal
 * Node` is the id of a node in Ironic: ironic-neutron-agent reports for it which physical networks the node is connected to.
 */
export const L2_AGENT_TYPES = ['Linux bridge agent', 'Open vSwitch agent', 'Baremetal Node'] as const;
