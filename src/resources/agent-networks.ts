import type { Action, AttributeType } from './attribute.ts';
import { neutronError } from './errors.ts';

/** Operations of the DHCP agent scheduler (API reference: Networking v2.0, DHCP agent scheduler). */

const listOf = (plural: string, schema: string) => ({
  type: 'object',
  required: [plural],
  properties: { [plural]: { type: 'array', items: { $ref: `#/components/schemas/${schema}` } } },
});

/** A body `{"network_id": "..."}`. */
const networkBody: AttributeType<string> = {
  schema: { type: 'object', required: ['network_id'], properties: { network_id: { type: 'string', format: 'uuid' } } },
  parse(body) {
    const id = body !== null && typeof body === 'object' ? (body as Record<string, unknown>).network_id : undefined;
    if (typeof id !== 'string' || id === '' || id.length > 255)
      throw neutronError('HTTPBadRequest', { reason: 'the body must be {"network_id": "UUID of a network"}' });
    return id;
  },
};

/** Actions of an agent: the networks that it serves. */
export const AGENT_ACTIONS = {
  list_dhcp_networks: {
    method: 'get',
    path: 'dhcp-networks',
    answer: listOf('networks', 'Network'),
    policyName: 'get_dhcp-networks',
    policy: 'admin',
    extension: 'dhcp_agent_scheduler',
    help: 'list the networks served by the DHCP agent',
  },
  add_dhcp_network: {
    method: 'post',
    path: 'dhcp-networks',
    body: networkBody,
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
    answer: listOf('agents', 'Agent'),
    policyName: 'get_dhcp-agents',
    policy: 'admin',
    // As in Neutron, a network that does not exist has no agents.
    anyId: true,
    extension: 'dhcp_agent_scheduler',
    help: 'list the DHCP agents serving the network',
  },
} as const satisfies Readonly<Record<string, Action>>;
