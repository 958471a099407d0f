import type { OutboxMethod } from '../plugin/events.ts';
import type { RpcArgs, RpcTarget } from '../rpc/contract.ts';
import { DHCP_AGENT_TOPIC } from '../rpc/topics/dhcp-agent.ts';
import {
  NETWORK_DELETE_TOPIC,
  NETWORK_UPDATE_TOPIC,
  PORT_DELETE_TOPIC,
  PORT_UPDATE_TOPIC,
} from '../rpc/topics/l2-agent.ts';
import type { ServingAgent } from '../scheduler/bindings.ts';

/** One message to agents. */
export interface Cast {
  readonly target: RpcTarget;
  readonly method: string;
  readonly args: RpcArgs;
  readonly version: string;
}

type Payload = Readonly<Record<string, unknown>>;
type DhcpMethod = keyof typeof DHCP_AGENT_TOPIC.methods;

/** Urgency inside the DHCP agent, smaller first, as Neutron sends it; `agent_updated` has none. */
const PRIORITIES: { readonly [M in Exclude<DhcpMethod, 'agent_updated'>]: number } = {
  network_create_end: 0,
  network_update_end: 1,
  network_delete_end: 2,
  subnet_create_end: 3,
  subnet_update_end: 3,
  subnet_delete_end: 4,
  port_create_end: 6,
  port_update_end: 6,
  port_delete_end: 6,
};
/** A new port is more urgent at one of its network's agents: one answer to DHCP is enough for a machine to start. */
const FIRST_PORT_CREATE = 5;

const L2_TOPICS = {
  'l2.port_update': PORT_UPDATE_TOPIC,
  'l2.port_delete': PORT_DELETE_TOPIC,
  'l2.network_update': NETWORK_UPDATE_TOPIC,
  'l2.network_delete': NETWORK_DELETE_TOPIC,
} as const;

function isL2(method: string): method is keyof typeof L2_TOPICS {
  return Object.hasOwn(L2_TOPICS, method);
}

function dhcpCast(
  method: DhcpMethod,
  payload: Payload,
  to: { server: string } | { fanout: true },
  priority?: number,
): Cast {
  return {
    target: { topic: DHCP_AGENT_TOPIC.topic, ...to },
    method,
    args: { payload: priority === undefined ? payload : { ...payload, priority } },
    version: DHCP_AGENT_TOPIC.methods[method],
  };
}

function l2Cast(method: keyof typeof L2_TOPICS, args: Payload): Cast {
  const { topic, methods } = L2_TOPICS[method];
  const [name = '', version = '1.0'] = Object.entries(methods)[0] ?? [];
  return { target: { topic, fanout: true }, method: name, args, version };
}

/** Whether the event goes to the DHCP agents that serve its network. */
export const isForServing = (method: string): boolean =>
  Object.hasOwn(PRIORITIES, method) && method !== 'network_delete_end';

/** Whether the event tells DHCP agents of a change of a resource (dhcp_agent_notification), and not of their own affairs. */
export const isDhcpNotification = (method: string): boolean => Object.hasOwn(PRIORITIES, method);

/**
 * Whether the event shows that its network needs a DHCP agent: a port that is no agent's own, or a subnet with DHCP.
 * Changes of ports do not: an operator may have taken the network off its agents.
 */
export function needsAgents(method: string, payload: Payload): boolean {
  if (method === 'port_create_end') return (payload.port as Payload | undefined)?.device_owner !== 'network:dhcp';
  if (method === 'subnet_create_end' || method === 'subnet_update_end')
    return (payload.subnet as Payload | undefined)?.enable_dhcp === true;
  return false;
}

/**
 * The messages of an event. `serving`: the DHCP agents of its network; disabled ones are not told, dead ones are: they may only
 * seem so. A deleted network is told to all agents, as nobody is bound to it any more.
 * Throws for a method that is none of the catalogue.
 */
export function castsOf(
  method: OutboxMethod | string,
  payload: Payload,
  serving: readonly ServingAgent[],
): readonly Cast[] {
  if (isL2(method)) return [l2Cast(method, payload)];
  if (method.startsWith('agent.')) {
    const name = method.slice('agent.'.length);
    if (!Object.hasOwn(DHCP_AGENT_TOPIC.methods, name)) throw new Error(`no agent knows a method ${name}`);
    const { host, payload: own } = payload as { host: string; payload: Payload };
    const priority = Object.hasOwn(PRIORITIES, name) ? PRIORITIES[name as keyof typeof PRIORITIES] : undefined;
    return [dhcpCast(name as DhcpMethod, own, { server: host }, priority)];
  }
  if (!Object.hasOwn(PRIORITIES, method)) throw new Error(`no agent knows a method ${method}`);
  const known = method as keyof typeof PRIORITIES;
  if (known === 'network_delete_end') return [dhcpCast(known, payload, { fanout: true }, PRIORITIES[known])];
  const told = serving.filter((agent) => agent.enabled);
  const first = known === 'port_create_end' ? (told.find((agent) => agent.alive) ?? told[0]) : undefined;
  return told.map((agent) =>
    dhcpCast(known, payload, { server: agent.host }, agent === first ? FIRST_PORT_CREATE : PRIORITIES[known]),
  );
}
