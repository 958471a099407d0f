import type { ErrorKinds } from './kind.ts';

/** Errors of subnets. */
export const SUBNET_ERRORS = {
  SubnetNotFound: { status: 404, template: 'Subnet {id} could not be found.', when: 'no such subnet' },
  SubnetInUse: {
    status: 409,
    template: 'Unable to complete operation on subnet {id}: {reason}',
    when: 'the subnet to delete still has allocations',
  },
  InvalidAllocationPool: {
    status: 400,
    template: 'Allocation pool {pool} ends before it starts.',
    when: 'an allocation pool ends before it starts',
  },
  OutOfBoundsAllocationPool: {
    status: 400,
    template: 'The allocation pool {pool} spans beyond the subnet cidr {cidr}.',
    when: 'an allocation pool extends beyond its subnet',
  },
  OverlappingAllocationPools: {
    status: 409,
    template: 'Found overlapping allocation pools: {pools} for subnet {cidr}.',
    when: 'two allocation pools of a subnet overlap',
  },
  GatewayConflictWithAllocationPools: {
    status: 409,
    template: 'gateway_ip {ip} must be outside allocation pool {pool}.',
    when: 'the gateway is inside an allocation pool',
  },
  GatewayIpInUse: {
    status: 409,
    template: 'gateway_ip {ip} must stay while router port {port} has this address.',
    when: 'a router port uses the gateway address',
  },
  DNSNameServersExhausted: {
    status: 400,
    template: 'Unable to complete operation for {subnet}. The number of DNS nameservers exceeds the limit {limit}.',
    when: 'more than max_dns_nameservers',
  },
  HostRoutesExhausted: {
    status: 400,
    template: 'Unable to complete operation for {subnet}. The number of host routes exceeds the limit {limit}.',
    when: 'more than max_subnet_host_routes',
  },
  InvalidSubnetServiceType: {
    status: 400,
    template: 'Subnet service type {type} does not correspond to a valid device owner.',
    when: 'a service type is not a device owner',
  },
  InvalidInputSubnetServiceType: {
    status: 400,
    template: 'A service type must be a string, not {type}.',
    when: 'a service type is not a string',
  },
} as const satisfies ErrorKinds;
