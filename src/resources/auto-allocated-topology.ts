import { resource } from './attribute.ts';
import { readOnly } from './types.ts';

const text = readOnly<string>({ type: 'string' });

/**
 * The topology that a project gets without asking for its parts (API reference: Networking v2.0, Auto allocated topologies): a network
 * with subnets from the default subnet pools, and a router that connects it with the default external network.
 */
export const AUTO_ALLOCATED_TOPOLOGY = resource({
  name: 'auto_allocated_topology',
  plural: 'auto_allocated_topologies',
  path: 'auto-allocated-topology',
  key: 'project_id',
  singleton: true,
  table: 'auto_allocated_topologies',
  notImplemented: ['create'],
  methods: ['show', 'delete'],
  // `create`: the first show creates it.
  policy: { show: 'reader', create: 'owner', delete: 'owner' },
  extension: 'auto-allocated-topology',
  help: 'the network that a project gets with its first request, with subnets and a router',
  attributes: {
    id: { type: text, column: 'auto_allocated_topologies.network_id', help: 'the network' },
    tenant_id: {
      type: text,
      column: 'auto_allocated_topologies.project_id',
      help: 'its project (older name of project_id)',
    },
    project_id: { type: text, column: 'auto_allocated_topologies.project_id', help: 'its project' },
  },
});
