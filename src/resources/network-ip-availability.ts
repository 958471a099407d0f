import { resource } from './attribute.ts';
import type { JsonInteger } from './json-integer.ts';
import { integer, readOnly, shownOnly, text } from './types.ts';

/** The used and total addresses of one subnet. */
export interface SubnetIpAvailability {
  readonly subnet_id: string;
  readonly subnet_name: string;
  readonly ip_version: number;
  readonly cidr: string;
  readonly used_ips: number;
  readonly total_ips: JsonInteger;
}

/** IP address usage of networks (API reference: Networking v2.0, Network IP availability). Read-only. */
export const NETWORK_IP_AVAILABILITY = resource({
  name: 'network_ip_availability',
  plural: 'network_ip_availabilities',
  path: 'network-ip-availabilities',
  key: 'network_id',
  notFound: 'NetworkNotFound',
  hidden: 'HTTPNotFound',
  table: 'networks',
  policy: { show: 'service' },
  methods: ['list', 'show'],
  extension: 'network-ip-availability',
  help: 'IP address usage of a network',
  attributes: {
    network_id: { type: shownOnly(text(36)), column: 'networks.id', sort: true, help: 'the network' },
    network_name: {
      type: shownOnly(text(255)),
      column: 'networks.name',
      sort: true,
      help: 'its name',
    },
    tenant_id: { type: shownOnly(text(255)), column: 'networks.project_id', sort: true, help: 'its project' },
    project_id: { type: shownOnly(text(255)), column: 'networks.project_id', sort: true, help: 'its project' },
    ip_version: {
      type: shownOnly(integer()),
      visible: false,
      help: 'IP version of the subnets to count',
    },
    subnet_ip_availability: {
      type: readOnly<readonly SubnetIpAvailability[]>({ type: 'array' }),
      help: 'IP address usage of each subnet',
    },
    used_ips: { type: shownOnly(integer()), help: 'number of addresses in use by ports' },
    total_ips: {
      type: readOnly<JsonInteger>({ type: 'integer' }),
      help: 'number of addresses in the allocation pools, exact even beyond 2^53',
    },
  },
});
