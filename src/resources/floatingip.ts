import { resource } from './attribute.ts';
import { dnsDomain, relativeDnsName } from './dns.ts';
import { extension } from './extensions.ts';
import type { PortForwardingSummary } from './port-forwarding.ts';
import { identity, standardAttributes, tags } from './standard.ts';
import { ipAddress, nullable, readOnly, shownOnly, uuid } from './types.ts';

/** The internal port of a floating IP, in the document of the floating IP. */
export interface PortDetails {
  readonly name: string;
  readonly network_id: string;
  readonly mac_address: string;
  readonly admin_state_up: boolean;
  readonly status: string;
  readonly device_id: string;
  readonly device_owner: string;
}

const text = { type: 'string' };
const { id, tenant_id, project_id } = identity('floatingips');

/** Floating IPs (API reference: Networking v2.0, Floating IPs). */
export const FLOATINGIP = resource({
  name: 'floatingip',
  notFound: 'FloatingIPNotFound',
  plural: 'floatingips',
  path: 'floatingips',
  table: 'floatingips',
  sides: { qos_fip_policy_bindings: { key: 'fip_id' } },
  standardAttributes: 'floatingips',
  tagged: true,
  quota: true,
  methods: ['create', 'list', 'show', 'update', 'delete'],
  extension: 'router',
  brings: [
    extension(
      'fip-port-details',
      'Floating IP Port Details Extension',
      '2018-04-09T10:00:00-00:00',
      'The internal port of a floating IP, in its document.',
    ),
    extension(
      'floatingip-autodelete-internal',
      'Autodelete floating IPs of internal networks',
      '2019-01-24T00:00:00-00:00',
      'Floating IPs of a network that is no longer external are deleted.',
    ),
    extension(
      'expose-port-forwarding-in-fip',
      'Expose Floating IP port forwardings',
      '2018-06-28T16:00:00-00:00',
      'Port forwardings in the document of their floating IP.',
    ),
    extension('qos-fip', 'Floating IP QoS', '2017-07-20T00:00:00-00:00', 'QoS policies of floating IPs.'),
  ],
  help: 'an address of an external network that a router translates to a fixed IP of a port',
  attributes: {
    id,
    tenant_id,
    project_id,
    floating_ip_address: {
      type: nullable(ipAddress),
      post: true,
      default: null,
      column: 'floatingips.floating_ip_address',
      sort: true,
      policy: { create: 'manager' },
      help: 'its address; default: allocated from the external network',
    },
    subnet_id: {
      type: nullable(uuid),
      post: true,
      default: null,
      visible: false,
      help: 'subnet of the external network from which its address is allocated',
    },
    floating_network_id: {
      type: uuid,
      post: true,
      column: 'floatingips.floating_network_id',
      sort: true,
      help: 'the external network',
    },
    floating_port_id: {
      type: shownOnly(uuid),
      column: 'floatingips.floating_port_id',
      visible: false,
      filter: false,
      help: 'port of the external network that holds the address',
    },
    router_id: {
      type: shownOnly(nullable(uuid)),
      column: 'floatingips.router_id',
      sort: true,
      help: 'router that translates it; null while it has neither a port nor port forwardings',
    },
    port_id: {
      type: nullable(uuid),
      post: true,
      put: true,
      default: null,
      column: 'floatingips.fixed_port_id',
      help: 'internal port that it is associated with',
    },
    fixed_ip_address: {
      type: nullable(ipAddress),
      post: true,
      put: true,
      default: null,
      column: 'floatingips.fixed_ip_address',
      sort: true,
      help: 'fixed IP of the internal port; default: its only IPv4 address',
    },
    status: {
      type: readOnly<string>(text),
      column: 'floatingips.status',
      sort: true,
      help: 'DOWN, ACTIVE or ERROR, as reported by the L3 agent',
    },
    port_details: {
      type: readOnly<PortDetails | null>({
        anyOf: [
          {
            type: 'object',
            properties: {
              name: text,
              network_id: text,
              mac_address: text,
              admin_state_up: { type: 'boolean' },
              status: text,
              device_id: text,
              device_owner: text,
            },
          },
          { type: 'null' },
        ],
      }),
      extension: 'fip-port-details',
      help: 'the internal port',
    },
    port_forwardings: {
      type: readOnly<readonly PortForwardingSummary[]>({ type: 'array', items: { type: 'object' } }),
      extension: 'expose-port-forwarding-in-fip',
      help: 'its port forwardings',
    },
    dns_name: {
      type: relativeDnsName,
      post: true,
      default: '',
      extension: 'dns-integration',
      help: 'name to publish by an external DNS service; as in Neutron without one, it is checked and not stored',
    },
    dns_domain: {
      type: dnsDomain,
      post: true,
      default: '',
      extension: 'dns-integration',
      help: 'domain of dns_name; as in Neutron without an external DNS service, it is checked and not stored',
    },
    qos_policy_id: {
      type: nullable(uuid),
      post: true,
      put: true,
      default: null,
      column: 'qos_fip_policy_bindings.policy_id',
      absent: null,
      extension: 'qos-fip',
      help: 'QoS policy',
    },
    ...standardAttributes,
    ...tags,
  },
});
