/**
 * The catalogue of errors that the API returns: Neutron's type, its HTTP status, the message template, and when it occurs.
 * Rules throw them with `neutronError(type, values)`; `api/` turns them into bodies; docs/errors.md is generated from this table.
 */

type Values = Readonly<Record<string, string | number>>;

interface ErrorKind {
  readonly status: number;
  /** `{name}` is replaced by the value of that name. */
  readonly template: string;
  readonly when: string;
}

export const ERRORS = {
  HTTPBadRequest: { status: 400, template: '{reason}', when: 'the request or one of its attributes is malformed' },
  BadRequest: {
    status: 400,
    template: 'Bad {resource} request: {reason}.',
    when: 'values of the request contradict each other',
  },
  InvalidInput: {
    status: 400,
    template: 'Invalid input for operation: {reason}.',
    when: 'a value has the wrong format or violates a rule',
  },
  HTTPNotAcceptable: {
    status: 406,
    template: 'The only available content type is application/json, not {accept}.',
    when: 'the Accept header does not allow JSON',
  },
  HTTPMethodNotAllowed: {
    status: 405,
    template: 'The method {method} is not allowed on {path}.',
    when: 'the path does not support the method',
  },
  HTTPNotFound: { status: 404, template: 'The resource {path} could not be found.', when: 'the path does not exist' },
  HTTPRequestEntityTooLarge: {
    status: 413,
    template: 'The request body is too large; split the request.',
    when: 'the body is larger than 16 MiB',
  },
  HTTPInternalServerError: {
    status: 500,
    template: 'Request {id} failed with an internal error; see the server log.',
    when: 'an internal failure; never caused by the content of a request',
  },
  PolicyNotAuthorized: {
    status: 403,
    template: '{action} is disallowed by policy',
    when: 'the policy does not allow the caller to do this',
  },
  HTTPForbidden: {
    status: 403,
    template: 'Tenant {project} not allowed to create {resource} on this network',
    when: 'a port or subnet on a network that the caller sees but neither owns nor shares, such as an external one',
  },
  RevisionNumberConstraintFailed: {
    status: 412,
    template: 'Constrained to {expected}, but current revision is {current}',
    when: 'If-Match names a revision other than the current one',
  },
  NetworkNotFound: { status: 404, template: 'Network {id} could not be found.', when: 'no such network' },
  SubnetNotFound: { status: 404, template: 'Subnet {id} could not be found.', when: 'no such subnet' },
  PortNotFound: { status: 404, template: 'Port {id} could not be found.', when: 'no such port' },
  AddressScopeNotFound: {
    status: 404,
    template: 'Address scope {id} could not be found.',
    when: 'no such address scope',
  },
  AddressScopeUpdateError: {
    status: 400,
    template: 'Unable to update address scope {id} : {reason}.',
    when: 'the update would make a shared address scope private',
  },
  RbacPolicyNotFound: {
    status: 404,
    template: 'RBAC policy with ID {id} not found',
    when: 'no such RBAC policy',
  },
  DuplicateRbacPolicy: {
    status: 409,
    template: 'An RBAC policy already exists with those values.',
    when: 'the object is shared with this target already',
  },
  InvalidActionForType: {
    status: 400,
    template: "Invalid action '{action}' for object type '{type}'. Valid actions: {valid}",
    when: 'the type of object does not know the action of the RBAC policy',
  },
  ExternalNetworkInUse: {
    status: 409,
    template: 'External network {id} cannot be updated to be made non-external, since it has existing gateway ports.',
    when: 'an external network with gateway ports of routers would no longer be external',
  },
  HTTPNotImplemented: {
    status: 501,
    template: '{method} requests are not supported on this resource.',
    when: 'a POST to a resource that every project has, such as its quotas',
  },
  TenantQuotaNotFound: {
    status: 404,
    template: 'Quota for tenant {id} could not be found.',
    when: 'the project to reset has no quotas of its own',
  },
  QuotaMissingTenant: {
    status: 400,
    template: 'Tenant-id was missing from quota request.',
    when: 'the request is not scoped to a project',
  },
  AdminRequired: {
    status: 403,
    template: 'User does not have admin privileges: Only admin is authorized to access quotas for another project.',
    when: 'the quota details of another project',
  },
  OverQuota: {
    status: 409,
    template: 'Quota exceeded for resources: [{resources}].',
    when: 'the request would exceed the quota of the project',
  },
  AgentNotFound: { status: 404, template: 'Agent {id} could not be found.', when: 'no such agent' },
  SecurityGroupNotFound: {
    status: 404,
    template: 'Security group {id} does not exist',
    when: 'no such security group',
  },
  SecurityGroupRuleNotFound: {
    status: 404,
    template: 'Security group rule {id} does not exist',
    when: 'no such security group rule',
  },
  SecurityGroupDefaultAlreadyExists: {
    status: 409,
    template: 'Default security group already exists.',
    when: 'a security group would be named default',
  },
  SecurityGroupCannotUpdateDefault: {
    status: 409,
    template: 'Updating default security group not allowed.',
    when: 'the default security group of a project would be renamed',
  },
  SecurityGroupCannotRemoveDefault: {
    status: 409,
    template: 'Insufficient rights for removing default security group.',
    when: 'a caller other than an administrator deletes a default security group',
  },
  SecurityGroupInUse: {
    status: 409,
    template: 'Security Group {id} in use.',
    when: 'ports use the security group to delete, or to make stateful or stateless',
  },
  SecurityGroupConflict: {
    status: 409,
    template: 'Error {reason} while attempting the operation.',
    when: 'a port would have both stateful and stateless security groups',
  },
  SecurityGroupRuleExists: {
    status: 409,
    template: 'Security group rule already exists. Rule id is {rule}.',
    when: 'the security group has an equal rule',
  },
  DuplicateSecurityGroupRuleInPost: {
    status: 409,
    template: 'Duplicate Security Group Rule in POST.',
    when: 'a request contains the same rule twice',
  },
  SecurityGroupNotSingleGroupRules: {
    status: 400,
    template: 'Only allowed to update rules for one security profile at a time',
    when: 'a request creates rules of several security groups',
  },
  SecurityGroupRulesNotSingleTenant: {
    status: 400,
    template: 'Multiple tenant_ids in bulk security group rule create not allowed',
    when: 'a request creates rules for several projects',
  },
  SecurityGroupMultipleRemoteEntites: {
    status: 400,
    template: 'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.',
    when: 'a rule names more than one remote side',
  },
  SecurityGroupRuleInvalidProtocol: {
    status: 400,
    template:
      'Security group rule protocol {protocol} not supported. Only protocol values {values} and integer representations [0 to 255] are supported.',
    when: 'a rule names an unknown protocol',
  },
  SecurityGroupRuleInvalidEtherType: {
    status: 400,
    template: "Security group rule for ethertype '{ethertype}' not supported. Allowed values are {values}.",
    when: 'the ethertype of a rule is neither IPv4 nor IPv6',
  },
  SecurityGroupEthertypeConflictWithProtocol: {
    status: 400,
    template: 'Invalid ethertype {ethertype} for protocol {protocol}.',
    when: 'an IPv4 rule names a protocol of IPv6',
  },
  SecurityGroupRuleParameterConflict: {
    status: 400,
    template: 'Conflicting value ethertype {ethertype} for CIDR {cidr}',
    when: 'the remote_ip_prefix of a rule is of the other IP version',
  },
  InvalidCIDR: {
    status: 400,
    template: 'Invalid CIDR {input} given as IP prefix.',
    when: 'the remote_ip_prefix of a rule is neither an address nor a prefix',
  },
  SecurityGroupInvalidPortValue: {
    status: 400,
    template: 'Invalid value for port {port}',
    when: 'a port of a rule is not a number from 1 to 65535',
  },
  SecurityGroupInvalidPortRange: {
    status: 400,
    template: 'For TCP/UDP protocols, port_range_min must be <= port_range_max',
    when: 'the port range of a rule is incomplete, or ends before it starts',
  },
  SecurityGroupProtocolRequiredWithPorts: {
    status: 400,
    template: 'Must also specify protocol if port range is given.',
    when: 'a rule has ports but no protocol',
  },
  SecurityGroupInvalidProtocolForPort: {
    status: 400,
    template: 'Ports cannot be specified for protocol {protocol}. Ports are only supported for {protocols}.',
    when: 'a rule has ports and a protocol without ports',
  },
  SecurityGroupInvalidIcmpValue: {
    status: 400,
    template: 'Invalid value for ICMP {field} ({attribute}) {value}. It must be 0 to 255.',
    when: 'the ICMP type or code of a rule is larger than 255',
  },
  SecurityGroupMissingIcmpType: {
    status: 400,
    template: 'ICMP code (port-range-max) {code} is provided but ICMP type (port-range-min) is missing.',
    when: 'a rule has an ICMP code but no ICMP type',
  },
  DefaultSecurityGroupRuleNotFound: {
    status: 404,
    template: 'Default Security Group rule {id} does not exist',
    when: 'no such default security group rule',
  },
  DefaultSecurityGroupRuleExists: {
    status: 409,
    template: 'Default Security group rule already exists. Rule id is {rule}.',
    when: 'an equal default rule is used in the same security groups',
  },
  AddressGroupNotFound: {
    status: 404,
    template: 'Address group {id} could not be found.',
    when: 'no such address group',
  },
  AddressGroupInUse: {
    status: 409,
    template: 'Address group {id} is in use on one or more security group rules.',
    when: 'security group rules refer to the address group to delete',
  },
  AddressesNotFound: {
    status: 404,
    template: 'Addresses {addresses} not found in the address group {id}.',
    when: 'addresses to remove are not in the address group',
  },
  AddressesAlreadyExist: {
    status: 400,
    template: 'Addresses {addresses} already exist in the address group {id}.',
    when: 'addresses to add are in the address group already',
  },
  QosPolicyNotFound: {
    status: 404,
    template: 'QoS policy {id} could not be found.',
    when: 'qos_policy_id refers to a policy that does not exist',
  },
  PortBindingNotFound: {
    status: 404,
    template: 'Binding of the port for host {id} could not be found.',
    when: 'the port has no binding to this host',
  },
  PortBindingAlreadyExists: {
    status: 409,
    template: 'Binding for port {port} on host {host} already exists.',
    when: 'the port has a binding to this host',
  },
  PortBindingAlreadyActive: {
    status: 409,
    template: 'Binding for port {port} on host {host} is already active.',
    when: 'the binding to activate is the active one',
  },
  PortBindingError: {
    status: 409,
    template:
      'Binding for port {port} on host {host} could not be created or updated: no live L2 agent of the host can bind it.',
    when: 'the host has no live L2 agent, or its agent cannot reach the network',
  },
  SegmentInUse: {
    status: 409,
    template: "Segment '{id}' cannot be deleted: {reason}.",
    when: 'subnets or bound ports use the segment to delete',
  },
  TrunkNotFound: { status: 404, template: 'Trunk {id} could not be found.', when: 'no such trunk' },
  SubPortNotFound: {
    status: 404,
    template: 'SubPort {port} on trunk {trunk} could not be found.',
    when: 'a subport to remove is not in the trunk',
  },
  TrunkPortInUse: {
    status: 409,
    template: 'Port {port} is in use by another trunk.',
    when: 'a port is parent or subport of a trunk already',
  },
  ParentPortInUse: {
    status: 409,
    template: 'Port {port} is currently in use and is not eligible for use as a parent port.',
    when: 'the parent port of a new trunk is bound, or is among the subports',
  },
  DuplicateSubPort: {
    status: 409,
    template: 'segmentation_type {type} and segmentation_id {id} already in use on trunk {trunk}.',
    when: 'another subport of the trunk has this segmentation',
  },
  SubPortMtuGreaterThanTrunkPortMtu: {
    status: 409,
    template: 'MTU {mtu} of subport {port} cannot be greater than MTU {trunkMtu} of trunk {trunk}.',
    when: 'the network of a subport has a larger MTU than that of the parent port',
  },
  PortInUseAsTrunkParent: {
    status: 409,
    template: 'Port {port} is currently a parent port for trunk {trunk}.',
    when: 'the port to delete is the parent port of a trunk',
  },
  PortInUseAsSubPort: {
    status: 409,
    template: 'Port {port} is currently a subport for trunk {trunk}.',
    when: 'the port to delete is a subport of a trunk',
  },
  TrunkInUse: {
    status: 409,
    template: 'Trunk {id} is currently in use.',
    when: 'the parent port of the trunk to delete is bound',
  },
  TrunkDisabled: {
    status: 409,
    template: 'Trunk {id} is currently disabled.',
    when: 'the administrative state of the trunk is down',
  },
  TrunkInErrorState: {
    status: 409,
    template: 'Trunk {id} is in error state. Attempt to resolve the error condition before proceeding.',
    when: 'subports are added to a trunk with status ERROR',
  },
  PortInUse: {
    status: 409,
    template:
      'Unable to complete operation on port {port} for network {network}. Port already has an attached device {device}.',
    when: 'a device uses the port already',
  },
  RbacPolicyInUse: {
    status: 409,
    template: 'RBAC policy on object {id} cannot be removed because other objects depend on it. Details: {details}',
    when: 'a project would lose access to what it uses',
  },
  PolicyRemoveAuthorizationError: {
    status: 403,
    template: 'Failed to remove provided policy {id} because you are not authorized.',
    when: 'a QoS policy that is not visible to the caller would be replaced or removed',
  },
  MeteringLabelRuleOverlaps: {
    status: 409,
    template: "Metering label rule with remote_ip_prefix '{prefix}' overlaps another.",
    when: 'a rule of the same label, direction and exclusion covers some of these addresses',
  },
  QosRuleNotFound: {
    status: 404,
    template: 'QoS rule {id} could not be found.',
    when: 'the policy has no such rule',
  },
  QosPolicyInUse: {
    status: 409,
    template: 'QoS Policy {id} is used by {type} {user}.',
    when: 'the policy to delete is used by a network, port, floating IP or router',
  },
  QoSRulesConflict: {
    status: 409,
    template: 'Rule {type} conflicts with rule {rule} which already exists in QoS Policy {policy}.',
    when: 'the policy has a rule of this type for this direction',
  },
  QoSRuleParameterConflict: {
    status: 409,
    template:
      'Unable to add the rule with value {value} to the policy {policy} as the existing rule of type {type} has value {existing}.',
    when: 'a guarantee would exceed a limit of the same policy',
  },
  QoSPolicyDefaultAlreadyExists: {
    status: 409,
    template: 'A default QoS policy exists for project {project}.',
    when: 'the project has another default policy',
  },
  MeteringLabelNotFound: {
    status: 404,
    template: "Metering label '{id}' does not exist.",
    when: 'no such metering label',
  },
  MeteringLabelRuleNotFound: {
    status: 404,
    template: "Metering label rule '{id}' does not exist.",
    when: 'no such metering label rule',
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
  AddressScopePrefixConflict: {
    status: 409,
    template: 'Failed to associate address scope: subnetpools within an address scope must have unique prefixes.',
    when: 'prefixes of two subnet pools of an address scope would overlap',
  },
  AddressScopeInUse: {
    status: 409,
    template:
      'Unable to complete operation on address scope {id}. There are one or more subnet pools in use on the address scope.',
    when: 'the address scope to delete still has subnet pools',
  },
  NetworkAddressScopeAffinityError: {
    status: 400,
    template:
      'Subnets of the same address family hosted on the same network must all participate in the same address scope.',
    when: 'subnets of a network would be in different address scopes',
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
  TagResourceNotFound: {
    status: 404,
    template: 'Resource {resource} {id} could not be found.',
    when: 'the tagged resource does not exist',
  },
  TagNotFound: { status: 404, template: 'Tag {tag} could not be found.', when: 'the resource has no such tag' },
  AvailabilityZoneNotFound: {
    status: 404,
    template: 'AvailabilityZone {zone} could not be found.',
    when: 'an availability zone hint names a zone without agents',
  },
  NetworkInUse: {
    status: 409,
    template:
      'Unable to complete operation on network {id}. There are one or more ports still in use on the network, id for these ports is: {ports}.',
    when: 'the network to delete still has ports',
  },
  SubnetInUse: {
    status: 409,
    template: 'Unable to complete operation on subnet {id}: {reason}',
    when: 'the subnet to delete still has allocations',
  },
  MacAddressInUse: {
    status: 409,
    template: 'Unable to complete operation for network {network}. The mac address {mac} is in use.',
    when: 'another port of the network has this MAC address',
  },
  MacAddressGenerationFailure: {
    status: 503,
    template: 'Unable to generate unique mac on network {network}.',
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
    template: 'IP address {ip} is not a valid IP for the specified subnet.',
    when: 'an address is outside the requested subnet',
  },
  AllocationOnAutoAddressSubnet: {
    status: 400,
    template:
      'IPv6 address {ip} cannot be directly assigned to a port on subnet {subnet} as the subnet is configured for automatic addresses',
    when: 'a specific address is requested on a SLAAC subnet',
  },
  InvalidAllocationPool: {
    status: 400,
    template: 'The allocation pool {pool} is not valid.',
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
    template: 'Gateway ip {ip} conflicts with allocation pool {pool}.',
    when: 'the gateway is inside an allocation pool',
  },
  GatewayIpInUse: {
    status: 409,
    template: 'Current gateway ip {ip} already in use by port {port}. Unable to update.',
    when: 'a router port uses the gateway address',
  },
  InvalidSharedSetting: {
    status: 409,
    template: 'Unable to reconfigure sharing settings for network {id}. Multiple tenants are using it.',
    when: 'a network that other projects use would no longer be shared',
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
    template: 'Subnet service type {type} is not a string.',
    when: 'a service type is not a string',
  },
  DuplicateAddressPairInRequest: {
    status: 400,
    template: 'Request contains duplicate address pair: mac_address {mac} ip_address {ip}.',
    when: 'a request contains the same address pair twice',
  },
  AddressPairAndPortSecurityRequired: {
    status: 409,
    template: 'Port Security must be enabled in order to have allowed address pairs on a port.',
    when: 'address pairs are set on a port without port security',
  },
  AllowedAddressPairExhausted: {
    status: 400,
    template: 'The number of allowed address pair exceeds the maximum {quota}.',
    when: 'more than max_allowed_address_pair',
  },
  PortSecurityPortHasSecurityGroup: {
    status: 409,
    template:
      'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
    when: 'port security would be disabled while the port has security groups',
  },
  PortSecurityAndIPRequiredForSecurityGroups: {
    status: 409,
    template: 'Port security must be enabled and port must have an IP address in order to use security groups.',
    when: 'security groups are set on a port without port security or without an address',
  },
  PortBound: {
    status: 409,
    template:
      'Unable to complete operation on port {id}, port is already bound, port type: {vif}, old_mac {old}, new_mac {new}.',
    when: 'the request would change the MAC address of a bound port',
  },
  RouterNotFound: { status: 404, template: 'Router {id} could not be found', when: 'no such router' },
  RouterInUse: {
    status: 409,
    template: 'Router {id} {reason}',
    when: 'the router to delete still has interfaces, or something depends on it',
  },
  RouterInterfaceNotFound: {
    status: 404,
    template: 'Router {router} does not have an interface with id {port}',
    when: 'the port is not an interface of the router',
  },
  RouterInterfaceNotFoundForSubnet: {
    status: 404,
    template: 'Router {router} has no interface on subnet {subnet}',
    when: 'no interface of the router is on the subnet',
  },
  RouterInterfaceInUseByFloatingIP: {
    status: 409,
    template:
      'Router interface for subnet {subnet} on router {router} cannot be deleted, as it is required by one or more floating IPs.',
    when: 'floating IPs of the router lead to the subnet',
  },
  RouterInterfaceInUseByRoute: {
    status: 409,
    template:
      'Router interface for subnet {subnet} on router {router} cannot be deleted, as it is required by one or more routes.',
    when: 'the next hop of an extra route is on the subnet',
  },
  RouterExternalGatewayInUseByFloatingIp: {
    status: 409,
    template:
      'Gateway cannot be updated for router {router}, since a gateway to external network {network} is required by one or more floating IPs.',
    when: 'the gateway to remove serves floating IPs',
  },
  FloatingIPNotFound: {
    status: 404,
    template: 'Floating IP {id} could not be found',
    when: 'no such floating IP',
  },
  ExternalGatewayForFloatingIPNotFound: {
    status: 404,
    template:
      'External network {network} is not reachable from subnet {subnet}.  Therefore, cannot associate Port {port} with a Floating IP.',
    when: 'no router connects the subnet of the internal port with the external network of the floating IP',
  },
  FloatingIPPortAlreadyAssociated: {
    status: 409,
    template:
      'Cannot associate floating IP {address} ({id}) with port {port} using fixed IP {fixed}, as that fixed IP already has a floating IP on external network {network}.',
    when: 'the fixed IP has another floating IP on this network, or the floating IP of a new port forwarding has a port',
  },
  ExternalIpAddressExhausted: {
    status: 400,
    template: 'Unable to find any IP address on external network {network}.',
    when: 'a floating IP would get no IPv4 address',
  },
  PortForwardingNotFound: {
    status: 404,
    template: 'Port Forwarding {id} could not be found.',
    when: 'no such port forwarding',
  },
  PortHasPortForwarding: {
    status: 400,
    template: 'Cannot associate floating IP to port {port} because it already has a Port Forwarding binding.',
    when: 'a distributed router forwards ports to the port that a floating IP is to be associated with',
  },
  FipInUseByPortForwarding: {
    status: 409,
    template: 'Floating IP {id} in use by Port Forwarding resources.',
    when: 'a floating IP with port forwardings would be associated or deleted',
  },
  PortHasBindingFloatingIP: {
    status: 409,
    template:
      'Cannot create port forwarding to floating IP {address} ({id}) with port {port} using fixed IP {fixed}, as that port already has a binding floating IP.',
    when: 'the internal port of a port forwarding has a floating IP of its own',
  },
  ConntrackHelperNotFound: {
    status: 404,
    template: 'Conntrack Helper {id} could not be found.',
    when: 'no such conntrack helper',
  },
  ConntrackHelperNotAllowed: {
    status: 400,
    template: 'Conntrack Helper {helper} is not allowed.',
    when: 'allowed_conntrack_helpers does not contain the helper',
  },
  InvalidProtocolForHelper: {
    status: 400,
    template: 'Conntrack Helper {helper} does not support: {protocol}. Supported protocols are: {supported}',
    when: 'allowed_conntrack_helpers contains the helper with other protocols only',
  },
  NeutronDbObjectDuplicateEntry: {
    status: 409,
    template: 'Failed to create a duplicate {resource}: for attribute(s) {attributes} with value(s) {values}',
    when: 'an NDP proxy of the router announces this address already',
  },
  NDPProxyNotFound: { status: 404, template: 'Ndp proxy {id} could not be found.', when: 'no such NDP proxy' },
  RouterGatewayInUseByNDPProxy: {
    status: 409,
    template:
      'Unable to unset external gateway of router {router}, There are one or more ndp proxies still in use on the router.',
    when: 'the gateway to remove serves NDP proxies',
  },
  RouterInterfaceInUseByNDPProxy: {
    status: 409,
    template:
      'Unable to remove subnet {subnet} from router {router}, There are one or more ndp proxies still in use on the subnet.',
    when: 'NDP proxies announce addresses of the subnet',
  },
  RouterIPv6GatewayInUse: {
    status: 409,
    template:
      "Can't remove the IPv6 subnet from external gateway of router {router}, the IPv6 subnet in use by the router's ndp proxy.",
    when: 'the gateway of a router with enable_ndp_proxy would lose its IPv6 address',
  },
  RouterGatewayNotValid: {
    status: 409,
    template: 'Can not enable ndp proxy on router {router}, {reason}.',
    when: 'enable_ndp_proxy needs a gateway with an IPv6 address, on a network with an IPv6 address scope',
  },
  RouterNDPProxyNotEnable: {
    status: 409,
    template:
      'The enable_ndp_proxy parameter of router {router} must be set as True while create ndp proxy entry on it.',
    when: 'an NDP proxy is created on a router without enable_ndp_proxy',
  },
  AddressScopeConflict: {
    status: 409,
    template:
      "The IPv6 address scope {external} of external network conflict with internal network's IPv6 address scope {internal}.",
    when: 'an NDP proxy would connect networks of different IPv6 address scopes',
  },
  PortUnreachableRouter: {
    status: 409,
    template: 'The port {port} cannot reach the router {router} by IPv6 subnet.',
    when: 'the router of an NDP proxy has no interface on an IPv6 subnet of the port',
  },
  InvalidAddress: {
    status: 400,
    template: 'The address {address} is invalid, reason: {reason}.',
    when: 'the address of an NDP proxy does not belong to its port, or is not reachable',
  },
  NotAuthorized: {
    status: 403,
    template: 'Not authorized.',
    when: 'the topology of another project; a QoS rule type, except to administrators',
  },
  AutoAllocationFailure: {
    status: 409,
    template: 'Deployment error: {reason}.',
    when: 'a topology cannot be allocated: it needs a default external network and a default subnet pool',
  },
  DefaultExternalNetworkExists: {
    status: 409,
    template: 'A default external network already exists: {id}.',
    when: 'a second external network would be the default one',
  },
  SubnetMismatchForPort: {
    status: 400,
    template: 'Subnet on port {port} does not match the requested subnet {subnet}.',
    when: 'the port to remove from a router has no address on the subnet in the request',
  },
  DeviceIDNotOwnedByTenant: {
    status: 409,
    template: "The following device_id {id} is not owned by your tenant or matches another tenant's router.",
    when: "device_id of a port names another project's router",
  },
  IPAddressChangeNotAllowed: {
    status: 400,
    template: 'IP updates for port {id} are not allowed',
    when: 'the port is an interface of a router, and its IPv4 addresses would change',
  },
  InvalidRoutes: {
    status: 400,
    template: 'Invalid format for routes: {routes}, {reason}',
    when: 'the next hop of an extra route is on none of the networks of the router, or belongs to the router',
  },
  RoutesExhausted: {
    status: 400,
    template: 'Unable to complete operation for {id}. The number of routes exceeds the maximum {quota}.',
    when: 'more than max_routes',
  },
  RouterHostedByL3Agent: {
    status: 409,
    template: 'The router {router} has been already hosted by the L3 Agent {agent}.',
    when: 'another agent already serves the router',
  },
  InvalidL3Agent: {
    status: 404,
    template: 'Agent {id} is not a L3 Agent or has been disabled',
    when: 'the agent is not an L3 agent, or is disabled, or in another availability zone',
  },
  RouterL3AgentMismatch: {
    status: 409,
    template: 'Cannot host distributed router {router} on legacy L3 agent {agent}.',
    when: 'a distributed router is added to an agent that cannot serve one',
  },
  DVRL3CannotAssignToDvrAgent: {
    status: 409,
    template: "Not allowed to manually assign a router to an agent in 'dvr' mode.",
    when: 'a router is added to an agent in dvr mode',
  },
  DVRL3CannotRemoveFromDvrAgent: {
    status: 409,
    template: "Not allowed to manually remove a router from an agent in 'dvr' mode.",
    when: 'a router is removed from an agent in dvr mode',
  },
  InvalidServiceType: {
    status: 400,
    template: 'Invalid service type {type}.',
    when: 'a flavor is for an unknown service, or a router has a flavor for another service',
  },
  FlavorNotFound: { status: 404, template: 'Flavor {id} could not be found.', when: 'no such flavor' },
  FlavorInUse: {
    status: 409,
    template: 'Flavor {id} is used by some service instance.',
    when: 'routers have the flavor to delete',
  },
  FlavorDisabled: {
    status: 409,
    template: 'Flavor is not enabled.',
    when: 'a router is created with a disabled flavor (Neutron: 503)',
  },
  ServiceProfileNotFound: {
    status: 404,
    template: 'Service Profile {id} could not be found.',
    when: 'no such service profile',
  },
  ServiceProfileInUse: {
    status: 409,
    template: 'Service Profile {id} is used by some service instance.',
    when: 'a flavor has the service profile to change or delete',
  },
  ServiceProfileDisabled: {
    status: 409,
    template: 'Service Profile is not enabled.',
    when: 'a router is created with a flavor whose service profile is disabled (Neutron: 503)',
  },
  ServiceProfileEmpty: {
    status: 400,
    template: 'Service Profile needs either a driver or metainfo.',
    when: 'a service profile has neither',
  },
  ServiceProfileDriverNotFound: {
    status: 404,
    template: 'Service Profile driver {driver} could not be found.',
    when: 'no service provider has the driver of a service profile',
  },
  FlavorServiceProfileBindingExists: {
    status: 409,
    template: 'Service Profile {profile} is already associated with flavor {flavor}.',
    when: 'the flavor already has the service profile',
  },
  FlavorServiceProfileBindingNotFound: {
    status: 404,
    template: 'Service Profile {profile} is not associated with flavor {flavor}.',
    when: 'the flavor does not have the service profile, or a router is created with a flavor that has none',
  },
  ServicePortInUse: {
    status: 409,
    template: 'Port {id} cannot be deleted directly via the port API: {reason}.',
    when: 'the port belongs to a router or a floating IP',
  },
  NetworkHostedByDHCPAgent: {
    status: 409,
    template: 'The network {network} has been already hosted by the DHCP Agent {agent}.',
    when: 'the agent already serves the network',
  },
  NetworkNotHostedByDhcpAgent: {
    status: 409,
    template: 'The network {network} is not hosted by the DHCP agent {agent}.',
    when: 'the agent does not serve the network',
  },
  InvalidDHCPAgent: {
    status: 404,
    template: 'Agent {id} is not a valid DHCP Agent or has been disabled.',
    when: 'the agent is not a DHCP agent, or is disabled',
  },
  ServiceUnavailable: {
    status: 503,
    template: '{reason}',
    when: 'the database is unreachable, stays locked or is full, or Keystone cannot validate tokens; try again later',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorType = keyof typeof ERRORS;

/** Names of the values in a template. */
type Placeholders<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

/** The values that the message of an error needs. */
type ValuesOf<T extends ErrorType> = { readonly [K in Placeholders<(typeof ERRORS)[T]['template']>]: string | number };

/** An error whose type, status and message the API returns. */
export class NeutronError extends Error {
  readonly type: ErrorType;
  readonly status: number;
  /** Further information, for the body's `detail`. */
  readonly detail: string;

  constructor(type: ErrorType, message: string, detail = '') {
    super(message);
    this.detail = detail;
    this.name = type;
    this.type = type;
    this.status = ERRORS[type].status;
  }
}

// A value of a request may be megabytes long; the error shows only its beginning.
const MOST_SHOWN = 2000;
const bounded = (text: string): string => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);

/** Returns the error of a type, with the values filled in to its template. */
export function neutronError<T extends ErrorType>(
  type: T,
  ...[values]: [Placeholders<(typeof ERRORS)[T]['template']>] extends [never] ? [] : [ValuesOf<T>]
): NeutronError {
  return filled(type, values ?? {});
}

function filled(type: ErrorType, values: Values): NeutronError {
  const text = ERRORS[type].template.replace(/\{(\w+)\}/g, (_, name: string) => bounded(String(values[name])));
  return new NeutronError(type, text);
}

/** Returns Neutron's error for a value that the attribute's type rejects: `Invalid input for ATTRIBUTE. Reason: REASON.` */
export function invalidAttribute(attribute: string, reason: string): NeutronError {
  return neutronError('HTTPBadRequest', { reason: `Invalid input for ${attribute}. Reason: ${reason}.` });
}

/** Formats a value for an error message: bounded, strings without quotes, null as None (as in Neutron's messages). */
export function shown(value: unknown): string {
  const text =
    value === null || value === undefined ? 'None' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** The types of errors whose message needs the id alone: those for what does not exist. */
export type NotFoundType = {
  [T in ErrorType]: T extends `${string}NotFound`
    ? [Placeholders<(typeof ERRORS)[T]['template']>] extends ['id']
      ? T
      : never
    : never;
}[ErrorType];

/**
 * Returns the error for an id of a resource that does not exist: the type that its declaration names, or `PortNotFound` for `port`
 * if there is one.
 */
export function notFound(
  resource: { readonly name: string; readonly notFound?: NotFoundType },
  id: string,
): NeutronError {
  const derived = `${resource.name.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())}NotFound`;
  const type = resource.notFound ?? derived;
  return Object.hasOwn(ERRORS, type) ? filled(type as ErrorType, { id }) : neutronError('HTTPNotFound', { path: id });
}
