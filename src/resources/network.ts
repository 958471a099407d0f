import { resource } from './attribute.ts';
import { dnsDomain } from './dns.ts';
import { identity, standardAttributes } from './standard.ts';
import { boolean, integer, line, listOf, nullable, readOnly, uuid } from './types.ts';

/** Networks (API reference: Networking v2.0, Networks). */
export const NETWORK = resource({
  name: 'network',
  plural: 'networks',
  path: 'networks',
  standardAttributes: 'networks',
  methods: ['create', 'list', 'show', 'update', 'delete'],
  help: 'a layer 2 segment that ports are on',
  attributes: {
    ...identity('networks'),
    admin_state_up: { type: boolean, post: true, put: true, default: true, column: 'networks.admin_state_up', sort: true, help: 'whether it is to work' },
    status: { type: readOnly({ type: 'string' }), column: 'networks.status', sort: true, help: 'ACTIVE, DOWN, BUILD or ERROR' },
    shared: { type: boolean, post: true, put: true, default: false, help: 'whether all projects may use it' },
    subnets: { type: readOnly({ type: 'array', items: { type: 'string' } }), help: 'ids of its subnets' },
    mtu: { type: integer({ min: 0, max: 65535 }), post: true, put: true, default: 0, column: 'networks.mtu', sort: true, extension: 'net-mtu', help: 'MTU in bytes; 0 takes the largest possible' },
    'router:external': { type: boolean, post: true, put: true, default: false, extension: 'external-net', help: 'whether routers may have their gateway here' },
    is_default: { type: boolean, post: true, put: true, default: false, extension: 'auto-allocated-topology', help: 'the external network used when none is named' },
    port_security_enabled: { type: boolean, post: true, put: true, default: true, extension: 'port-security', help: 'default for ports of this network' },
    dns_domain: { type: dnsDomain, post: true, put: true, default: '', extension: 'dns-integration', help: 'domain of its ports, with a dot at the end' },
    'provider:network_type': { type: nullable(line(32)), post: true, put: true, optional: true, extension: 'provider', help: 'local, flat, vlan or vxlan' },
    'provider:physical_network': { type: nullable(line(64)), post: true, put: true, optional: true, extension: 'provider', help: 'physical network of flat and vlan networks' },
    'provider:segmentation_id': { type: nullable(integer()), post: true, put: true, optional: true, extension: 'provider', help: 'VLAN id or VXLAN id' },
    availability_zone_hints: { type: listOf(line(255), { unique: true, max: 32 }), post: true, default: [], extension: 'network_availability_zone', help: 'zones whose agents should serve it' },
    availability_zones: { type: readOnly({ type: 'array', items: { type: 'string' } }), extension: 'network_availability_zone', help: 'zones whose agents serve it' },
    ipv4_address_scope: { type: readOnly({ type: ['string', 'null'] }), extension: 'address-scope', help: 'IPv4 address scope' },
    ipv6_address_scope: { type: readOnly({ type: ['string', 'null'] }), extension: 'address-scope', help: 'IPv6 address scope' },
    l2_adjacency: { type: readOnly({ type: 'boolean' }), extension: 'l2_adjacency', help: 'whether all its ports are on one segment' },
    qos_policy_id: { type: nullable(uuid), post: true, put: true, default: null, extension: 'qos', help: 'QoS policy; null for now' },
    ...standardAttributes,
  },
});
