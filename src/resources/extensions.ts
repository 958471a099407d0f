import type { Extension, Resource } from './attribute.ts';

/** Defines an extension. */
export const extension = (alias: string, name: string, updated: string, description: string): Extension => ({
  alias,
  name,
  description,
  updated,
});

/** All extensions that Neutrino knows. */
export const EXTENSIONS: readonly Extension[] = [
  extension(
    'address-scope',
    'Address scope',
    '2015-07-26T10:00:00-00:00',
    'Groups of subnet pools whose addresses do not overlap.',
  ),
  extension('agent', 'agent', '2013-02-03T10:00:00-00:00', 'The agent management extension.'),
  extension(
    'agent-resources-synced',
    "Agent's Resource View Synced to Placement",
    '2018-12-19T00:00:00-00:00',
    'Whether Placement knows the resources of an agent.',
  ),
  extension(
    'allowed-address-pairs',
    'Allowed Address Pairs',
    '2013-07-23T10:00:00-00:00',
    'Further addresses that a port may send from.',
  ),
  extension(
    'auto-allocated-topology',
    'Auto Allocated Topology Services',
    '2016-01-01T00:00:00-00:00',
    'A network of a project with subnets and a router, allocated with its first request.',
  ),
  extension(
    'availability_zone_filter',
    'Availability Zone Filter Extension',
    '2018-06-22T10:00:00-00:00',
    'Lists of availability zones can be filtered.',
  ),
  extension(
    'availability_zone',
    'Availability Zone',
    '2015-01-01T10:00:00-00:00',
    'Zones of agents, and hints for the zones of resources.',
  ),
  extension(
    'binding',
    'Port Binding',
    '2014-02-03T10:00:00-00:00',
    'The host of a port and how its device is attached there.',
  ),
  extension(
    'default-subnetpools',
    'Default Subnetpools',
    '2016-02-18T18:00:00-00:00',
    'Default subnet pools for IPv4 and IPv6.',
  ),
  extension(
    'dhcp_agent_scheduler',
    'DHCP Agent Scheduler',
    '2013-02-07T10:00:00-00:00',
    'Which DHCP agents serve a network.',
  ),
  extension(
    'dns-integration',
    'DNS Integration',
    '2015-08-15T18:00:00-00:00',
    'Names of ports and domains of networks.',
  ),
  extension(
    'empty-string-filtering',
    'Empty String Filtering Extension',
    '2018-05-01T10:00:00-00:00',
    'Filters by empty values.',
  ),
  extension(
    'external-net',
    'Neutron external network',
    '2013-01-14T10:00:00-00:00',
    'Networks that lead outside the cloud.',
  ),
  extension('extra_dhcp_opt', 'Neutron Extra DHCP options', '2013-03-17T12:00:00-00:00', 'DHCP options of a port.'),
  extension(
    'filter-validation',
    'Filter parameters validation',
    '2018-07-04T10:00:00-00:00',
    'Unknown filters are rejected.',
  ),
  extension(
    'ip_allocation',
    'IP Allocation',
    '2016-06-10T23:00:00-00:00',
    'Shows how the addresses of a port are allocated.',
  ),
  extension(
    'ip-substring-filtering',
    'IP address substring filtering',
    '2017-11-28T09:00:00-00:00',
    'Ports can be listed by a part of an address.',
  ),
  extension(
    'l2_adjacency',
    'L2 Adjacency',
    '2016-04-12T16:00:00-00:00',
    'Whether all ports of a network are in one layer 2 domain.',
  ),
  extension('multi-provider', 'Multi Provider Network', '2013-06-27T10:00:00-00:00', 'Networks with several segments.'),
  extension('net-mtu', 'Network MTU', '2015-03-25T10:00:00-00:00', 'The MTU of a network.'),
  extension(
    'net-mtu-writable',
    'Network MTU (writable)',
    '2017-07-12T00:00:00-00:00',
    'The MTU of a network can be set.',
  ),
  extension(
    'network-ip-availability',
    'Network IP Availability',
    '2015-09-24T00:00:00-00:00',
    'How many addresses of networks and subnets are in use.',
  ),
  extension(
    'network_availability_zone',
    'Network Availability Zone',
    '2015-01-01T10:00:00-00:00',
    'Availability zones of networks.',
  ),
  extension('pagination', 'Pagination support', '2016-06-12T00:00:00-00:00', 'Lists can be read page by page.'),
  extension(
    'port-device-profile',
    'Port device profile',
    '2020-12-17T10:00:00-00:00',
    'The Cyborg device profile of a port.',
  ),
  extension(
    'port-mac-address-regenerate',
    'Neutron Port MAC address regenerate',
    '2018-05-03T10:00:00-00:00',
    'A port whose MAC address is set to null gets a new one.',
  ),
  extension(
    'port-numa-affinity-policy',
    'Port NUMA affinity policy',
    '2020-07-08T10:00:00-00:00',
    'The NUMA affinity policy of a port.',
  ),
  extension(
    'port-resource-request',
    'Port Resource Request',
    '2018-05-08T10:00:00-00:00',
    'What a port needs from Placement.',
  ),
  extension(
    'port-resource-request-groups',
    'Port Resource Request Groups',
    '2021-08-02T10:00:00-00:00',
    'What a port needs from Placement, in groups of resources of one provider each.',
  ),
  extension(
    'port-security',
    'Port Security',
    '2012-07-23T10:00:00-00:00',
    'Protection against spoofed addresses, for each port.',
  ),
  extension(
    'port-security-groups-filtering',
    'Port filtering on security groups',
    '2018-01-09T09:00:00-00:00',
    'Ports can be listed by security group.',
  ),
  extension(
    'project-id',
    'project_id field enabled',
    '2016-09-09T09:09:09-09:09',
    'project_id is the same as tenant_id.',
  ),
  extension(
    'provider',
    'Provider Network',
    '2012-09-07T10:00:00-00:00',
    'The physical network, type and segmentation id of a network.',
  ),
  extension(
    'qos-port-network-policy',
    'QoS port network policy ID',
    '2019-11-01T10:00:00-00:00',
    'Provides qos_network_policy_id of a port.',
  ),
  extension(
    'revision-if-match',
    'If-Match constraints based on revision_number',
    '2016-12-11T00:00:00-00:00',
    'If-Match makes a change conditional on revision_number.',
  ),
  extension('security-group', 'security-group', '2012-10-05T10:00:00-00:00', 'Security groups and their rules.'),
  extension('sorting', 'Sorting support', '2016-06-12T00:00:00-00:00', 'Lists can be sorted.'),
  extension(
    'standard-attr-description',
    'standard-attr-description',
    '2016-02-10T10:00:00-00:00',
    'Descriptions of resources.',
  ),
  extension(
    'standard-attr-revisions',
    'Resource revision numbers',
    '2016-04-11T10:00:00-00:00',
    'revision_number counts the changes of a resource.',
  ),
  extension(
    'standard-attr-tag',
    'Tag support for resources with standard attribute',
    '2017-01-01T00:00:00-00:00',
    'Tags of resources.',
  ),
  extension(
    'standard-attr-timestamp',
    'Resource timestamps',
    '2016-09-12T10:00:00-00:00',
    'created_at and updated_at of resources.',
  ),
  extension(
    'segments-peer-subnet-host-routes',
    'Segments peer-subnet host routes',
    '2018-06-12T10:00:00-00:00',
    'Subnets of a routed network have routes to those of other segments.',
  ),
  extension(
    'subnet-segmentid-writable',
    'Subnet SegmentID (writable)',
    '2018-03-12T00:00:00-00:00',
    'The segment of a subnet can be set.',
  ),
  extension(
    'subnet-service-types',
    'Subnet service types',
    '2016-03-15T18:00:00-00:00',
    'Subnets for the ports of certain device owners.',
  ),
  extension(
    'tag-ports-during-bulk-creation',
    'Tag Ports During Bulk Creation',
    '2019-12-29T19:00:00-00:00',
    'Ports can be created with tags.',
  ),
  extension(
    'uplink-status-propagation',
    'Port Uplink Status Propagation',
    '2018-11-29T00:00:00-00:00',
    'Ports can follow the link state of their uplink.',
  ),
  extension(
    'subnet_allocation',
    'Subnet Allocation',
    '2015-03-30T10:00:00-00:00',
    'Subnets can be allocated from a subnet pool.',
  ),
];

/** Extensions that describe behaviour of the API; no attribute or resource adds them. */
const BEHAVIOURS: readonly string[] = [
  'availability_zone_filter',
  'empty-string-filtering',
  'ext-gw-mode',
  'filter-validation',
  'floating-ip-port-forwarding-detail',
  'floatingip-autodelete-internal',
  'ip-substring-filtering',
  'l3-port-ip-change-not-allowed',
  'net-mtu-writable',
  'pagination',
  'port-mac-address-regenerate',
  'port-resource-request-groups',
  'port-security-groups-filtering',
  'qos-gateway-ip',
  'qos-rule-type-filter',
  'revision-if-match',
  'router-admin-state-down-before-update',
  'sorting',
  'segments-peer-subnet-host-routes',
  'standard-attr-segment',
  'subnet-segmentid-writable',
];

/** Returns the aliases that a declaration refers to. */
const aliasesOf = ({
  extension: own,
  sharing,
  attributes,
  actions = {},
}: Resource): readonly (string | undefined)[] => [
  own,
  sharing?.extension,
  ...Object.values(attributes).map((attribute) => attribute.extension),
  ...Object.values(actions).map((action) => action.extension),
];

/** Returns the extensions of the served declarations. Throws an Error if a declaration refers to an unknown alias. */
export function servedExtensions(resources: readonly Resource[]): readonly Extension[] {
  const known = new Map([...EXTENSIONS, ...resources.flatMap((r) => r.brings ?? [])].map((e) => [e.alias, e]));
  const named = new Set([...BEHAVIOURS, ...resources.flatMap(aliasesOf)]);
  named.delete(undefined);
  for (const alias of named)
    if (alias !== undefined && !known.has(alias)) throw new Error(`extension ${alias} is declared but not described`);
  return [...known.values()].filter(({ alias }) => named.has(alias));
}
