import type { ErrorKinds } from './kind.ts';

/** Errors of segments of networks. */
export const SEGMENT_ERRORS = {
  SegmentInUse: {
    status: 409,
    template: 'Segment {id} is in use: {reason}.',
    when: 'subnets or bound ports use the segment to delete',
  },
  SegmentNotFound: { status: 404, template: 'There is no segment {id}.', when: 'no such segment' },
  NetworkIdsDontMatch: {
    status: 400,
    template: 'Segment {segment} does not belong to network {network} of the subnet.',
    when: 'a subnet refers to a segment of another network',
  },
  SubnetsNotAllAssociatedWithSegments: {
    status: 400,
    template: 'Either all subnets of network {network} have a segment, or none.',
    when: 'only some subnets of a network are associated with segments',
  },
  HostConnectedToMultipleSegments: {
    status: 409,
    template:
      'Host {host} is connected to several segments of the routed network {network}: it must be connected to one.',
    when: 'the host of a port reaches several segments of a routed network that have subnets',
  },
  HostNotConnectedToAnySegment: {
    status: 409,
    template: 'Host {host} is not connected to any segment of the routed network {network} that has a subnet.',
    when: 'the host of a port reaches no segment of a routed network that has a subnet',
  },
  HostNotCompatibleWithFixedIps: {
    status: 409,
    template: 'Host {host} is not connected to the segment of the fixed IPs of port {port}.',
    when: 'a port would be bound to a host that does not reach the segment of its fixed IPs',
  },
  FixedIpsSubnetsNotOnSameSegment: {
    status: 400,
    template: 'The fixed IPs of a port on network {network} must be on one segment.',
    when: 'the requested fixed IPs are on several segments of a routed network',
  },
  SubnetCantAssociateToDynamicSegment: {
    status: 400,
    template: 'Subnets cannot be associated with segment {segment}, which is dynamic.',
    when: 'a subnet refers to a segment that was allocated by a mechanism',
  },
  SubnetSegmentAssociationChangeNotAllowed: {
    status: 400,
    template: 'Subnet {subnet} is already associated with a segment.',
    when: 'a subnet that is associated with a segment would be associated with another one, or none',
  },
  NoUpdateSubnetWhenMultipleSegmentsOnNetwork: {
    status: 400,
    template:
      'Network {network} has several segments: an existing subnet can only be associated with the only segment.',
    when: 'an existing subnet of a network with several segments would be associated with one of them',
  },
  VlanIdInUse: {
    status: 409,
    template: 'Unable to create the network. The VLAN {vlan} on physical network {physnet} is in use.',
    when: 'the VLAN id is already in use',
  },
  FlatNetworkInUse: {
    status: 409,
    template: 'Physical network {physnet} already has a flat network.',
    when: 'the physical network already has a flat network',
  },
  TunnelIdInUse: {
    status: 409,
    template: 'Tunnel id {tunnel} is in use by another network.',
    when: 'the VXLAN id is already in use',
  },
  SegmentsSetInConjunctionWithProviders: {
    status: 400,
    template: 'segments and provider attributes exclude each other.',
    when: 'a request sets both provider attributes and segments',
  },
  SegmentsContainDuplicateEntry: {
    status: 400,
    template: 'The request contains the same segment twice.',
    when: 'a request contains the same segment twice',
  },
  NoNetworkAvailable: {
    status: 503,
    template: 'All segments of the configured ranges are in use.',
    when: 'the configured segment ranges are exhausted',
  },
} as const satisfies ErrorKinds;
