import type { Action, AttributeType } from './attribute.ts';
import { neutronError } from './errors.ts';

/** Operations of the DHCP agent scheduler (API reference: Networking v2.0, DHCP agent scheduler). */

/** The schema of `{"networks": [...]}`, for instance. */
export const listOfSchema = (plural: string, schema: string) => ({
  type: 'object',
  required: [plural],
  properties: { [plural]: { type: 'array', items: { $ref: `#/components/schemas/${schema}` } } },
});

/** A body such as `{"network_id": "..."}`. */
export const hostedBody = (resource: string): AttributeType<string> => {
  const key = `${resource}_id`;
  return {
    schema: { type: 'object', required: [key], properties: { [key]: { type: 'string', format: 'uuid' } } },
    parse(body) {
      const id = body !== null && typeof body === 'object' ? (body as Record<string, unknown>)[key] : undefined;
      if (typeof id !== 'string' || id === '' || id.length > 255)
        throw neutronError('HTTPBadRequest', { reason: `the body must be {"${key}": "UUID of a ${resource}"}` });
      return id;
    },
  };
};

/** Actions of an agent: the networks that it serves. */
export const AGENT_ACTIONS = {
  list_dhcp_networks: {
    method: 'get',
    path: 'dhcp-networks',
    answer: listOfSchema('networks', 'Network'),
    policyName: 'get_dhcp-networks',
    policy: 'admin',
    extension: 'dhcp_agent_scheduler',
    help: 'list the networks served by the DHCP agent',
  },
  add_dhcp_network: {
    method: 'post',
    path: 'dhcp-networks',
    body: hostedBody('network'),
    // Neutron's response has a body: the JSON value null.
    answer: { type: 'null' },
    status: 201,
    policyName: 'create_dhcp-network',
    policy: 'admin',
    extension: 'dhcp_agent_scheduler',
    help: 'add a network to the DHCP agent',
  },
  remove_dhcp_network: {
    method: 'delete',
    path: 'dhcp-networks/{network_id}',
    policyName: 'delete_dhcp-network',
    policy: 'admin',
    extension: 'dhcp_agent_scheduler',
    help: 'remove a network from the DHCP agent',
  },
} as const satisfies Readonly<Record<string, Action>>;

/** Actions of a network: the agents that serve it. */
export const NETWORK_ACTIONS = {
  list_dhcp_agents: {
    method: 'get',
    path: 'dhcp-agents',
    answer: listOfSchema('agents', 'Agent'),
    policyName: 'get_dhcp-agents',
    policy: 'admin',
    // As in Neutron, a network that does not exist has no agents.
    anyId: true,
    extension: 'dhcp_agent_scheduler',
    help: 'list the DHCP agents serving the network',
  },
} as const satisfies Readonly<Record<string, Action>>;
