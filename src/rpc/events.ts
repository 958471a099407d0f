import { DHCP_OWNER } from '../net/device-owners.ts';
import type { RpcArgs } from './contract.ts';
import type { TopicContract } from './topic.ts';
import { DHCP_AGENT_TOPIC, type DhcpAgentMethods } from './topics/dhcp-agent.ts';
import { NETWORK_DELETE_TOPIC, NETWORK_UPDATE_TOPIC, PORT_DELETE_TOPIC, PORT_UPDATE_TOPIC } from './topics/l2-agent.ts';
import { L3_AGENT_TOPIC } from './topics/l3-agent.ts';
import { SECURITY_GROUP_UPDATE_TOPIC } from './topics/security-groups.ts';

/**
 * Who receives an event. `hosting`: the enabled agents that host the resource it is ordered by; `host`: the agent of one host;
 * `all`: every agent that listens on the topic's fanout.
 */
export type Audience = 'hosting' | 'host' | 'all';

interface EventDefinition<P extends RpcArgs, Key extends string, A extends Audience> {
  readonly topic: string;
  readonly method: string;
  readonly version: string;
  readonly audience: A;
  /** The resource whose id is the ordering key: events with the same key are published in order. */
  readonly orderedBy: Key;
  /** Whether the event shows that the resource needs an agent, so that it is scheduled before the event is published. */
  needsAgent?(payload: P): boolean;
  /** Returns the arguments of the method. `first`: for the first live agent of the audience; one answer is often enough. */
  args(payload: P, first: boolean): RpcArgs;
  /**
   * Returns what agents of other kinds are told of the same change, on fanouts: a row of the outbox less for what happens often. In one
   * batch, equal ones are sent once.
   */
  also?(payload: P): readonly FurtherMessage[];
}

/** A message to all agents that listen on a topic. */
export interface FurtherMessage {
  readonly topic: string;
  readonly method: string;
  readonly version: string;
  readonly args: RpcArgs;
}

/** An event that agents are notified of: one row of a catalogue. `name` is unique and stored in the outbox. */
export interface AgentEvent<P extends RpcArgs = RpcArgs, Key extends string = string, A extends Audience = Audience>
  extends EventDefinition<P, Key, A> {
  readonly name: string;
}

/** Turns a table of definitions into events that carry their names. */
export function catalogue<const D extends Readonly<Record<string, EventDefinition<never, string, Audience>>>>(
  definitions: D,
): { readonly [N in keyof D]: D[N] & { readonly name: string } } {
  const named = Object.entries(definitions).map(([name, definition]) => [name, { ...definition, name }] as const);
  return Object.fromEntries(named) as { readonly [N in keyof D]: D[N] & { readonly name: string } };
}

/** The payload of a DHCP agent's method, less the priority, which the event adds. */
type DhcpPayload<M extends keyof DhcpAgentMethods> = Omit<DhcpAgentMethods[M]['args']['payload'], 'priority'>;

interface DhcpOptions<P extends RpcArgs> {
  /** Urgency inside the agent, smaller first, as in Neutron; absent from the payload by default. */
  readonly priority?: number;
  /** The priority at the first of several agents; default: `priority`. */
  readonly firstPriority?: number;
  readonly needsAgent?: (payload: P) => boolean;
  readonly also?: (payload: P) => readonly FurtherMessage[];
}

/** An event for DHCP agents, whose methods have one argument: `payload`. */
const dhcp =
  <Key extends string, A extends Audience>(orderedBy: Key, audience: A) =>
  <M extends keyof DhcpAgentMethods>(
    method: M,
    { priority, firstPriority = priority, needsAgent, also }: DhcpOptions<DhcpPayload<M>> = {},
  ): EventDefinition<DhcpPayload<M>, Key, A> => ({
    topic: DHCP_AGENT_TOPIC.topic,
    method,
    version: DHCP_AGENT_TOPIC.methods[method],
    audience,
    orderedBy,
    ...(needsAgent === undefined ? {} : { needsAgent }),
    ...(also === undefined ? {} : { also }),
    args: (payload, first) => ({
      payload: priority === undefined ? payload : { ...payload, priority: first ? firstPriority : priority },
    }),
  });
const toHosting = dhcp('network', 'hosting');
const toHost = dhcp('network', 'host');

/** An event whose payload is the arguments of a topic's method. */
const event = <
  M extends { readonly [K in keyof M]: { args: RpcArgs; result: unknown } },
  K extends keyof M & string,
  Key extends string,
  A extends Audience,
>(
  { topic, methods }: TopicContract<M>,
  method: K,
  orderedBy: Key,
  audience: A,
): Omit<EventDefinition<M[K]['args'], Key, A>, 'also'> => ({
  topic,
  method,
  version: methods[method],
  audience,
  orderedBy,
  args: (payload) => payload,
});

const membersUpdated = (groups: readonly string[]): readonly FurtherMessage[] => {
  const { topic, methods } = SECURITY_GROUP_UPDATE_TOPIC;
  const method = 'security_groups_member_updated';
  return groups.length === 0 ? [] : [{ topic, method, version: methods[method], args: { security_groups: groups } }];
};

interface RouterChange extends RpcArgs {
  readonly router_id: string;
  readonly has_ports: boolean;
  /** Present and true if it is highly available. */
  readonly ha?: boolean;
}

/** What agents are notified of. Rules enqueue these events in the transaction of the change; the notifier publishes them. */
export const EVENTS = catalogue({
  /** A DHCP agent was given a network. */
  network_added_to_agent: toHost('network_create_end', { priority: 0 }),
  /** A network was taken off a DHCP agent. */
  network_removed_from_agent: toHost('network_delete_end', { priority: 2 }),
  /** A DHCP agent was enabled or disabled. */
  dhcp_agent_updated: dhcp('agent', 'host')('agent_updated'),

  network_update_end: toHosting('network_update_end', { priority: 1 }),
  /** Other segments of a routed network can be reached from some host: agents read the network again, and may be more than before. */
  network_segments_changed: toHosting('network_update_end', { priority: 1, needsAgent: () => true }),
  /** To all: no agent hosts a network that is gone. */
  network_delete_end: dhcp('network', 'all')('network_delete_end', { priority: 2 }),
  subnet_create_end: toHosting('subnet_create_end', { priority: 3, needsAgent: ({ subnet }) => subnet.enable_dhcp }),
  subnet_update_end: toHosting('subnet_update_end', { priority: 3, needsAgent: ({ subnet }) => subnet.enable_dhcp }),
  subnet_delete_end: toHosting('subnet_delete_end', { priority: 4 }),
  /**
   * More urgent at one agent: one answer to DHCP is enough for a machine to start. Neither the agents' own ports nor changes of
   * ports schedule a network, because an operator may have taken it off its agents.
   */
  port_create_end: toHosting('port_create_end', {
    priority: 6,
    firstPriority: 5,
    needsAgent: ({ port }) => port.device_owner !== DHCP_OWNER,
    also: ({ port }) => membersUpdated(port.security_groups ?? []),
  }),
  port_update_end: toHosting('port_update_end', { priority: 6 }),
  port_delete_end: toHosting('port_delete_end', { priority: 6 }),

  port_update: event(PORT_UPDATE_TOPIC, 'port_update', 'network', 'all'),
  port_delete: event(PORT_DELETE_TOPIC, 'port_delete', 'network', 'all'),
  network_update: event(NETWORK_UPDATE_TOPIC, 'network_update', 'network', 'all'),
  network_delete: event(NETWORK_DELETE_TOPIC, 'network_delete', 'network', 'all'),

  security_groups_rule_updated: event(
    SECURITY_GROUP_UPDATE_TOPIC,
    'security_groups_rule_updated',
    'security_group',
    'all',
  ),
  security_groups_member_updated: event(
    SECURITY_GROUP_UPDATE_TOPIC,
    'security_groups_member_updated',
    'security_group',
    'all',
  ),

  /**
   * A router, its ports or its routes have changed. A router without an agent is scheduled first if it has ports, a highly available one
   * in any case.
   */
  routers_updated: {
    ...event(L3_AGENT_TOPIC, 'routers_updated', 'router', 'hosting'),
    needsAgent: ({ has_ports, ha = false }: RouterChange) => has_ports || ha,
    args: ({ router_id }: RouterChange) => ({ routers: [router_id] }),
  },
  /** To all: no agent hosts a router that is gone. */
  router_deleted: event(L3_AGENT_TOPIC, 'router_deleted', 'router', 'all'),
  router_added_to_agent: event(L3_AGENT_TOPIC, 'router_added_to_agent', 'router', 'host'),
  router_removed_from_agent: event(L3_AGENT_TOPIC, 'router_removed_from_agent', 'router', 'host'),
  l3_agent_updated: event(L3_AGENT_TOPIC, 'agent_updated', 'agent', 'host'),
});
