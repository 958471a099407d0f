import type { ErrorKinds } from './kind.ts';

/** Errors of agents, what they host, and availability zones. */
export const AGENT_ERRORS = {
  AgentNotFound: { status: 404, template: 'Agent {id} could not be found.', when: 'no such agent' },
  AvailabilityZoneNotFound: {
    status: 404,
    template: "No agent is in availability zone '{zone}'.",
    when: 'an availability zone hint names a zone without agents',
  },
  RouterHostedByL3Agent: {
    status: 409,
    template: 'Router {router} already has an L3 agent, {agent}.',
    when: 'another agent already serves the router',
  },
  InvalidL3Agent: {
    status: 404,
    template:
      'Agent {id} cannot host the router: it is not an L3 agent, is disabled or is in another availability zone.',
    when: 'the agent is not an L3 agent, or is disabled, or in another availability zone',
  },
  RouterL3AgentMismatch: {
    status: 409,
    template: 'L3 agent {agent} is in legacy mode and cannot host distributed router {router}.',
    when: 'a distributed router is added to an agent that cannot serve one',
  },
  DVRL3CannotAssignToDvrAgent: {
    status: 409,
    template: 'L3 agent {agent} is in dvr mode: routers cannot be added to it.',
    when: 'a router is added to an agent in dvr mode',
  },
  DVRL3CannotRemoveFromDvrAgent: {
    status: 409,
    template: 'L3 agent {agent} is in dvr mode: routers cannot be removed from it.',
    when: 'a router is removed from an agent in dvr mode',
  },
  NetworkHostedByDHCPAgent: {
    status: 409,
    template: 'DHCP agent {agent} already hosts network {network}.',
    when: 'the agent already serves the network',
  },
  NetworkNotHostedByDhcpAgent: {
    status: 409,
    template: 'DHCP agent {agent} does not host network {network}.',
    when: 'the agent does not serve the network',
  },
  InvalidDHCPAgent: {
    status: 404,
    template: 'Agent {id} cannot host the network: it is not a DHCP agent, or is disabled.',
    when: 'the agent is not a DHCP agent, or is disabled',
  },
} as const satisfies ErrorKinds;
