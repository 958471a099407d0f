import type { ErrorKinds } from './kind.ts';

/** Errors of subnet pools and subnets allocated from them. */
export const SUBNETPOOL_ERRORS = {
  SubnetPoolNotFound: {
    status: 404,
    template: 'Subnet pool {id} could not be found.',
    when: 'no such subnet pool',
  },
  AddrFormatError: {
    status: 400,
    template: 'invalid IPNetwork {cidr}',
    when: 'the prefix length is longer than addresses of the IP version',
  },
  EmptySubnetPoolPrefixList: {
    status: 400,
    template: 'Empty subnet pool prefix list.',
    when: 'a subnet pool would have no prefixes',
  },
  PrefixVersionMismatch: {
    status: 400,
    template: 'Cannot mix IPv4 and IPv6 prefixes in a subnet pool.',
    when: 'prefixes of a subnet pool have different IP versions',
  },
  IllegalSubnetPoolPrefixBounds: {
    status: 400,
    template: 'Illegal prefix bounds: {name}={value}, {bound}={limit}.',
    when: 'the minimum, default and maximum prefix length contradict each other, or exceed the IP version',
  },
  IllegalSubnetPoolPrefixUpdate: {
    status: 400,
    template: 'Illegal update to prefixes: {reason}.',
    when: 'an update omits prefixes of the subnet pool, or removes one that a subnet uses',
  },
  IllegalSubnetPoolUpdate: {
    status: 400,
    template: 'Illegal subnetpool update : {reason}.',
    when: 'the subnet pool belongs to an address scope of another project, or a subnet to onboard overlaps one of the pool',
  },
  IllegalSubnetPoolAssociationToAddressScope: {
    status: 400,
    template: 'Illegal subnetpool association: subnetpool {pool} cannot be associated with address scope {scope}.',
    when: 'the address scope is neither owned by the project nor shared with it',
  },
  IllegalSubnetPoolIpVersionAssociationToAddressScope: {
    status: 400,
    template:
      'Illegal subnetpool association: subnetpool {pool} cannot associate with address scope {scope} because subnetpool ip_version is not {version}.',
    when: 'subnet pool and address scope have different IP versions',
  },
  NetworkSubnetPoolAffinityError: {
    status: 400,
    template: 'Subnets hosted on the same network must be allocated from the same subnet pool.',
    when: 'subnets of a network, of one IP version and without an address scope, would be from different subnet pools',
  },
  SubnetPoolDeleteError: {
    status: 400,
    template: 'Unable to delete subnet pool: {reason}.',
    when: 'the subnet pool to delete still has subnets',
  },
  SubnetPoolQuotaExceeded: {
    status: 409,
    template: 'Per-tenant subnet pool prefix quota exceeded.',
    when: 'the project would exceed the default_quota of the subnet pool',
  },
  MinPrefixSubnetAllocationError: {
    status: 400,
    template: 'Unable to allocate subnet with prefix length {length}, minimum allowed prefix is {limit}.',
    when: 'a subnet is larger than its subnet pool allows',
  },
  MaxPrefixSubnetAllocationError: {
    status: 400,
    template: 'Unable to allocate subnet with prefix length {length}, maximum allowed prefix is {limit}.',
    when: 'a subnet is smaller than its subnet pool allows',
  },
  SubnetAllocationError: {
    status: 409,
    template: 'Failed to allocate subnet: {reason}.',
    when: 'the subnet pool has no room for a subnet, or the requested prefix is not free (Neutron: 500)',
  },
} as const satisfies ErrorKinds;
