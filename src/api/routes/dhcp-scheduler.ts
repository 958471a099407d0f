import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { DhcpNetworkRules } from '../../plugin/agents/dhcp-networks.ts';
import type { RequestContext } from '../../plugin/core.ts';
import { neutronError } from '../../resources/errors.ts';
import { noContent } from './resource.ts';

/** The network that a POST body names: `{"network_id": "..."}`. */
function networkOf(body: unknown): string {
  const id = body !== null && typeof body === 'object' ? (body as Record<string, unknown>).network_id : undefined;
  if (typeof id !== 'string' || id === '' || id.length > 255)
    throw neutronError('HTTPBadRequest', { reason: 'the body must be {"network_id": "UUID of a network"}' });
  return id;
}

/** Routes of the DHCP agent scheduler (API reference: DHCP agent scheduler): which networks are on which agents. */
export function dhcpSchedulerRoutes(
  app: FastifyInstance,
  rules: DhcpNetworkRules,
  contextOf: (request: FastifyRequest) => RequestContext,
): void {
  app.get<{ Params: { agent: string } }>('/v2.0/agents/:agent/dhcp-networks', async (request) => ({
    networks: await rules.networksOfAgent(contextOf(request), request.params.agent),
  }));
  app.get<{ Params: { network: string } }>('/v2.0/networks/:network/dhcp-agents', async (request) => ({
    agents: await rules.agentsOfNetwork(contextOf(request), request.params.network),
  }));
  app.post<{ Params: { agent: string } }>('/v2.0/agents/:agent/dhcp-networks', async (request, reply) => {
    await rules.add(contextOf(request), request.params.agent, networkOf(request.body));
    // Neutron's answer has a body, and it is the JSON text null.
    return reply.code(201).header('content-type', 'application/json').send('null');
  });
  app.delete<{ Params: { agent: string; network: string } }>(
    '/v2.0/agents/:agent/dhcp-networks/:network',
    async (request, reply) => {
      await rules.remove(contextOf(request), request.params.agent, request.params.network);
      return noContent(reply);
    },
  );
}
