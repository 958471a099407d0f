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
    template: '{cidr} is not a prefix: its length exceeds the IP version.',
    when: 'the prefix length is longer than addresses of the IP version',
  },
  EmptySubnetPoolPrefixList: {
    status: 400,
    template: 'Empty subnet pool prefix list.',
    when: 'a subnet pool would have no prefixes',
  },
  PrefixVersionMismatch: {
    status: 400,
    template: 'All prefixes of a subnet pool must have the same IP version.',
    when: 'prefixes of a subnet pool have different IP versions',
  },
  IllegalSubnetPoolPrefixBounds: {
    status: 400,
    template: 'Illegal prefix bounds: {name}={value}, {bound}={limit}.',
    when: 'the minimum, default and maximum prefix length contradict each other, or exceed the IP version',
  },
  IllegalSubnetPoolPrefixUpdate: {
    status: 400,
    template: 'The prefixes of the subnet pool cannot be changed: {reason}.',
    when: 'an update omits prefixes of the subnet pool, or removes one that a subnet uses',
  },
  IllegalSubnetPoolUpdate: {
    status: 400,
    template: 'The subnet pool cannot be changed: {reason}.',
    when: 'the subnet pool belongs to an address scope of another project, or a subnet to onboard overlaps one of the pool',
  },
  IllegalSubnetPoolAssociationToAddressScope: {
    status: 400,
    template: 'Subnet pool {pool} cannot be in address scope {scope}, which the project neither owns nor shares.',
    when: 'the address scope is neither owned by the project nor shared with it',
  },
  IllegalSubnetPoolIpVersionAssociationToAddressScope: {
    status: 400,
    template: 'Subnet pool {pool} cannot be in address scope {scope}, which is for IPv{version}.',
    when: 'subnet pool and address scope have different IP versions',
  },
  NetworkSubnetPoolAffinityError: {
    status: 400,
    template: 'All subnets of a network that have the same IP version must be from the same subnet pool.',
    when: 'subnets of a network, of one IP version and without an address scope, would be from different subnet pools',
  },
  SubnetPoolDeleteError: {
    status: 400,
    template: 'Unable to delete subnet pool: {reason}.',
    when: 'the subnet pool to delete still has subnets',
  },
  SubnetPoolQuotaExceeded: {
    status: 409,
    template: 'The project cannot use more of the subnet pool than default_quota.',
    when: 'the project would exceed the default_quota of the subnet pool',
  },
  MinPrefixSubnetAllocationError: {
    status: 400,
    template: 'Unable to allocate subnet with prefix length {length}, minimum allowed prefix is {limit}.',
    when: 'a subnet is larger than its subnet pool allows',
  },
  MaxPrefixSubnetAllocationError: {
    status: 400,
    template: 'Prefix length {length} exceeds the max_prefixlen of the subnet pool, {limit}.',
    when: 'a subnet is smaller than its subnet pool allows',
  },
  SubnetAllocationError: {
    status: 409,
    template: 'Failed to allocate subnet: {reason}.',
    when: 'the subnet pool has no room for a subnet, or the requested prefix is not free (Neutron: 500)',
  },
} as const satisfies ErrorKinds;
