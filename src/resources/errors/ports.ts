import type { ErrorKinds } from './kind.ts';

/** Errors of ports and their addresses. */
export const PORT_ERRORS = {
  PortNotFound: { status: 404, template: 'Port {id} could not be found.', when: 'no such port' },
  PortInUse: {
    status: 409,
    template: 'Port {port} of network {network} is in use by device {device}.',
    when: 'a device uses the port already',
  },
  DhcpPortInUse: {
    status: 409,
    template: 'Port {id} is reserved for DHCP agents on another segment.',
    when: 'a DHCP agent requests a reserved port whose addresses it cannot serve',
  },
  MacAddressInUse: {
    status: 409,
    template: 'Unable to complete operation for network {network}. The mac address {mac} is in use.',
    when: 'another port of the network has this MAC address',
  },
  MacAddressGenerationFailure: {
    status: 503,
    template: 'No free MAC address was found for network {network}.',
    when: 'no free MAC address was found under base_mac',
  },
  IpAddressAlreadyAllocated: {
    status: 409,
    template: 'IP address {ip} already allocated in subnet {subnet}',
    when: 'a requested address belongs to another port',
  },
  IpAddressGenerationFailure: {
    status: 409,
    template: 'No more IP addresses available on network {network}.',
    when: 'the allocation pools are exhausted',
  },
  InvalidIpForNetwork: {
    status: 400,
    template: 'IP address {ip} is not a valid IP for any of the subnets on the specified network.',
    when: 'an address is in none of the subnets of the network',
  },
  InvalidIpForSubnet: {
    status: 400,
    template: '{ip} is not an address that a port can have on the subnet.',
    when: 'an address is outside the requested subnet',
  },
  AllocationOnAutoAddressSubnet: {
    status: 400,
    template:
      'IPv6 address {ip} cannot be directly assigned to a port on subnet {subnet} as the subnet is configured for automatic addresses',
    when: 'a specific address is requested on a SLAAC subnet',
  },
  DuplicateAddressPairInRequest: {
    status: 400,
    template: 'Request contains duplicate address pair: mac_address {mac} ip_address {ip}.',
    when: 'a request contains the same address pair twice',
  },
  AllowedAddressPairsMissingIP: {
    status: 400,
    template: 'An allowed address pair needs an ip_address.',
    when: 'an address pair has no ip_address',
  },
  AddressPairAndPortSecurityRequired: {
    status: 409,
    template: 'Port Security must be enabled in order to have allowed address pairs on a port.',
    when: 'address pairs are set on a port without port security',
  },
  AllowedAddressPairExhausted: {
    status: 400,
    template: 'A port cannot have more than {quota} allowed address pairs.',
    when: 'more than max_allowed_address_pair',
  },
  PortSecurityPortHasSecurityGroup: {
    status: 409,
    template:
      'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
    when: 'port security would be disabled while the port has security groups',
  },
  PortSecurityAndIPRequiredForSecurityGroups: {
    status: 400,
    template: 'A port needs port security and an IP address to have security groups.',
    when: 'security groups are set on a port without port security or without an address',
  },
  DeviceIDNotOwnedByTenant: {
    status: 409,
    template: 'device_id {id} is a router of another project.',
    when: "device_id of a port names another project's router",
  },
  IPAddressChangeNotAllowed: {
    status: 400,
    template: 'Port {id} is a router interface: its IPv4 addresses cannot change.',
    when: 'the port is an interface of a router, and its IPv4 addresses would change',
  },
  ServicePortInUse: {
    status: 409,
    template: 'Port {id} cannot be deleted by a port request: it {reason}.',
    when: 'the port belongs to a router or a floating IP',
  },
} as const satisfies ErrorKinds;
