import { resource } from './attribute.ts';
import { integer, readOnly, text } from './types.ts';

/** How full networks are (API reference: Networking v2.0, Network IP availability). Shown, never set. */
export const NETWORK_IP_AVAILABILITY = resource({
  name: 'network_ip_availability',
  plural: 'network_ip_availabilities',
  path: 'network-ip-availabilities',
  methods: ['list', 'show'],
  extension: 'network-ip-availability',
  help: 'how many addresses of a network are used',
  attributes: {
    network_id: { type: readOnly(text(36).schema), column: 'networks.id', sort: true, help: 'the network' },
    network_name: {
      type: readOnly(text(255).schema),
      column: 'networks.name',
      sort: true,
      help: 'its name',
    },
    tenant_id: { type: readOnly(text(255).schema), column: 'networks.project_id', sort: true, help: 'its project' },
    project_id: { type: readOnly(text(255).schema), column: 'networks.project_id', sort: true, help: 'its project' },
    ip_version: {
      type: readOnly({ type: 'integer' }, (value) => integer().filter?.(value)),
      visible: false,
      help: 'networks with subnets of this version',
    },
    subnet_ip_availability: { type: readOnly({ type: 'array' }), help: 'the same for each subnet' },
    used_ips: { type: readOnly({ type: 'integer' }), help: 'addresses that ports have' },
    total_ips: { type: readOnly({ type: 'integer' }), help: 'addresses of the allocation pools' },
  },
});
