import { resource } from './attribute.ts';
import { identity, standardAttributes } from './standard.ts';
import { allocationPools, hostRoutes, nameservers, serviceTypes } from './subnet-types.ts';
import { boolean, cidr, integer, ipAddress, nullable, oneOf, oneOfNumbers, uuid } from './types.ts';

/** How routers advertise a subnet, and how its ports get addresses. */
export const IPV6_MODES = ['dhcpv6-stateful', 'dhcpv6-stateless', 'slaac'] as const;

/** Subnets (API reference: Networking v2.0, Subnets). */
export const SUBNET = resource({
  name: 'subnet',
  plural: 'subnets',
  path: 'subnets',
  standardAttributes: 'subnets',
  methods: ['create', 'list', 'show', 'update', 'delete'],
  help: 'a block of addresses on a network',
  attributes: {
    ...identity('subnets'),
    network_id: { type: uuid, post: true, column: 'subnets.network_id', sort: true, help: 'its network' },
    ip_version: { type: oneOfNumbers([4, 6]), post: true, column: 'subnets.ip_version', sort: true, help: '4 or 6' },
    cidr: {
      type: nullable(cidr),
      post: true,
      optional: true,
      column: 'subnets.cidr',
      sort: true,
      help: 'its addresses',
    },
    gateway_ip: {
      type: nullable(ipAddress),
      post: true,
      put: true,
      optional: true,
      column: 'subnets.gateway_ip',
      sort: true,
      help: 'default router; the first address unless told, null for none',
    },
    allocation_pools: {
      type: allocationPools,
      post: true,
      put: true,
      optional: true,
      help: 'ranges that ports get addresses from; all but the gateway unless told',
    },
    enable_dhcp: {
      type: boolean,
      post: true,
      put: true,
      default: true,
      column: 'subnets.enable_dhcp',
      sort: true,
      help: 'whether DHCP answers',
    },
    dns_nameservers: { type: nameservers, post: true, put: true, default: [], help: 'DNS servers, in order' },
    host_routes: { type: hostRoutes, post: true, put: true, default: [], help: 'routes that DHCP tells' },
    ipv6_ra_mode: {
      type: oneOf(IPV6_MODES),
      post: true,
      optional: true,
      column: 'subnets.ipv6_ra_mode',
      sort: true,
      help: 'how routers advertise it',
    },
    ipv6_address_mode: {
      type: oneOf(IPV6_MODES),
      post: true,
      optional: true,
      column: 'subnets.ipv6_address_mode',
      sort: true,
      help: 'how ports get addresses',
    },
    subnetpool_id: {
      type: nullable(uuid),
      post: true,
      optional: true,
      column: 'subnets.subnetpool_id',
      sort: true,
      extension: 'subnet_allocation',
      help: 'pool its prefix comes from; null for now',
    },
    use_default_subnetpool: {
      type: boolean,
      post: true,
      default: false,
      visible: false,
      filter: false,
      extension: 'default-subnetpools',
      help: 'take the prefix from the default pool',
    },
    prefixlen: {
      type: integer({ min: 0, max: 128 }),
      post: true,
      optional: true,
      visible: false,
      filter: false,
      extension: 'subnet_allocation',
      help: 'length of the prefix taken from a pool',
    },
    service_types: {
      type: serviceTypes,
      post: true,
      put: true,
      default: [],
      extension: 'subnet-service-types',
      help: 'device owners that it is for; all when empty',
    },
    segment_id: {
      type: nullable(uuid),
      post: true,
      put: true,
      default: null,
      column: 'subnets.segment_id',
      sort: true,
      extension: 'segment',
      help: 'segment of a routed network',
    },
    ...standardAttributes,
  },
});
