import type { ErrorKinds } from './kind.ts';

/** Errors of segments of networks. */
export const SEGMENT_ERRORS = {
  SegmentInUse: {
    status: 409,
    template: 'Segment {id} is in use: {reason}.',
    when: 'subnets or bound ports use the segment to delete',
  },
  SegmentNotFound: { status: 404, template: 'Segment {id} could not be found.', when: 'no such segment' },
  NetworkIdsDontMatch: {
    status: 400,
    template: "The subnet's network id, '{network}', doesn't match the network_id of segment '{segment}'",
    when: 'a subnet refers to a segment of another network',
  },
  SubnetsNotAllAssociatedWithSegments: {
    status: 400,
    template:
      'All of the subnets on network {network} must either all be associated with segments or all not associated with any segments',
    when: 'only some subnets of a network are associated with segments',
  },
  VlanIdInUse: {
    status: 409,
    template: 'Unable to create the network. The VLAN {vlan} on physical network {physnet} is in use.',
    when: 'the VLAN id is already in use',
  },
  FlatNetworkInUse: {
    status: 409,
    template: 'Unable to create the flat network. Physical network {physnet} is in use.',
    when: 'the physical network already has a flat network',
  },
  TunnelIdInUse: {
    status: 409,
    template: 'Unable to create the network. The tunnel ID {tunnel} is in use.',
    when: 'the VXLAN id is already in use',
  },
  SegmentsSetInConjunctionWithProviders: {
    status: 400,
    template: 'Segments and provider values cannot both be set.',
    when: 'a request sets both provider attributes and segments',
  },
  SegmentsContainDuplicateEntry: {
    status: 400,
    template: 'Duplicate segment entry in request.',
    when: 'a request contains the same segment twice',
  },
  NoNetworkAvailable: {
    status: 503,
    template: 'Unable to create the network. No tenant network is available for allocation.',
    when: 'the configured segment ranges are exhausted',
  },
} as const satisfies ErrorKinds;
