import type { FixedIp, PortDocument, SubnetDocument } from '../documents.ts';
import type { TopicContract } from '../topic.ts';

/** Urgency inside the agent, smaller first; absent in `agent_updated`. */
interface Prioritised {
  readonly priority?: number;
}

interface Notified<P> {
  args: { payload: P };
  result: null;
}

interface DhcpAgentMethods {
  network_create_end: Notified<Prioritised & { network: { id: string } }>;
  network_update_end: Notified<Prioritised & { network: { id: string; admin_state_up?: boolean } }>;
  network_delete_end: Notified<Prioritised & { network_id: string }>;
  subnet_create_end: Notified<Prioritised & { subnet: SubnetDocument }>;
  subnet_update_end: Notified<Prioritised & { subnet: SubnetDocument }>;
  subnet_delete_end: Notified<Prioritised & { subnet_id: string; network_id?: string }>;
  port_create_end: Notified<Prioritised & { port: PortDocument }>;
  port_update_end: Notified<Prioritised & { port: PortDocument }>;
  port_delete_end: Notified<Prioritised & { port_id: string; network_id?: string; fixed_ips?: readonly FixedIp[] }>;
  agent_updated: Notified<{ admin_state_up: boolean }>;
}

/** `dhcp_agent`: notifications of DHCP agents (casts to `dhcp_agent.<host>`, or to all by fanout). */
export const DHCP_AGENT_TOPIC: TopicContract<DhcpAgentMethods> = {
  topic: 'dhcp_agent',
  version: '1.0',
  methods: {
    network_create_end: '1.0',
    network_update_end: '1.0',
    network_delete_end: '1.0',
    subnet_create_end: '1.0',
    subnet_update_end: '1.0',
    subnet_delete_end: '1.0',
    port_create_end: '1.0',
    port_update_end: '1.0',
    port_delete_end: '1.0',
    agent_updated: '1.0',
  },
};
export type { DhcpAgentMethods };
