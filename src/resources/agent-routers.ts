import { hostedBody, listOfSchema } from './agent-networks.ts';
import type { Action } from './attribute.ts';

/** Operations of the L3 agent scheduler (API reference: Networking v2.0, L3 agent scheduler). */

/** What an L3 agent does for a highly available router. */
export type HaState = 'active' | 'standby' | 'unknown';

const SCHEDULER = { policy: 'admin', extension: 'l3_agent_scheduler' } as const;

/** Actions of an agent: the routers that it serves. */
export const AGENT_ROUTER_ACTIONS = {
  list_l3_routers: {
    ...SCHEDULER,
    method: 'get',
    path: 'l3-routers',
    answer: listOfSchema('routers', 'Router'),
    policyName: 'get_l3-routers',
    help: 'list the routers served by the L3 agent',
  },
  add_l3_router: {
    ...SCHEDULER,
    method: 'post',
    path: 'l3-routers',
    body: hostedBody('router'),
    // Neutron's response has a body: the JSON value null.
    answer: { type: 'null' },
    status: 201,
    policyName: 'create_l3-router',
    help: 'add a router to the L3 agent',
  },
  remove_l3_router: {
    ...SCHEDULER,
    method: 'delete',
    path: 'l3-routers/{router_id}',
    policyName: 'delete_l3-router',
    help: 'remove a router from the L3 agent',
  },
} as const satisfies Readonly<Record<string, Action>>;

/** Actions of a router: the agents that serve it. */
export const ROUTER_AGENT_ACTIONS = {
  list_l3_agents: {
    ...SCHEDULER,
    method: 'get',
    path: 'l3-agents',
    answer: listOfSchema('agents', 'Agent'),
    policyName: 'get_l3-agents',
    // As in Neutron, a router that does not exist has no agents.
    anyId: true,
    help: 'list the L3 agents serving the router',
  },
} as const satisfies Readonly<Record<string, Action>>;
