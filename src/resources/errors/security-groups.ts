import type { ErrorKinds } from './kind.ts';

/** Errors of security groups, their rules and the default rules. */
export const SECURITY_GROUP_ERRORS = {
  SecurityGroupNotFound: {
    status: 404,
    template: 'Security group {id} does not exist',
    when: 'no such security group',
  },
  SecurityGroupRuleNotFound: {
    status: 404,
    template: 'There is no security group rule {id}.',
    when: 'no such security group rule',
  },
  SecurityGroupDefaultAlreadyExists: {
    status: 409,
    template: "The name 'default' is reserved for the security group that each project has by itself.",
    when: 'a security group would be named default',
  },
  SecurityGroupCannotUpdateDefault: {
    status: 409,
    template: 'Updating default security group not allowed.',
    when: 'the default security group of a project would be renamed',
  },
  SecurityGroupCannotRemoveDefault: {
    status: 409,
    template: 'Only administrators can delete the default security group of a project.',
    when: 'a caller other than an administrator deletes a default security group',
  },
  SecurityGroupInUse: {
    status: 409,
    template: 'Security Group {id} in use.',
    when: 'ports use the security group to delete, or to make stateful or stateless',
  },
  SecurityGroupConflict: {
    status: 409,
    template: 'The security groups of the port contradict each other: {reason}.',
    when: 'a port would have both stateful and stateless security groups',
  },
  SecurityGroupRuleExists: {
    status: 409,
    template: 'Security group rule already exists. Rule id is {rule}.',
    when: 'the security group has an equal rule',
  },
  DuplicateSecurityGroupRuleInPost: {
    status: 409,
    template: 'The request contains the same security group rule twice.',
    when: 'a request contains the same rule twice',
  },
  SecurityGroupNotSingleGroupRules: {
    status: 400,
    template: 'All rules of a request must be for the same security group.',
    when: 'a request creates rules of several security groups',
  },
  SecurityGroupRulesNotSingleTenant: {
    status: 400,
    template: 'All rules of a request must be for the same project.',
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
    template: "Ethertype '{ethertype}' is none of {values}.",
    when: 'the ethertype of a rule is neither IPv4 nor IPv6',
  },
  SecurityGroupEthertypeConflictWithProtocol: {
    status: 400,
    template: 'Protocol {protocol} is for ethertype IPv6, not for {ethertype}.',
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
    template: 'Protocol {protocol} has no ports; protocols with ports are {protocols}.',
    when: 'a rule has ports and a protocol without ports',
  },
  // tempest looks for the words 'Invalid value for ICMP code' and 'ICMP type (port-range-min) is missing'.
  SecurityGroupInvalidIcmpValue: {
    status: 400,
    template: 'Invalid value for ICMP {field} ({attribute}): {value} is not from 0 to 255.',
    when: 'the ICMP type or code of a rule is larger than 255',
  },
  SecurityGroupMissingIcmpType: {
    status: 400,
    template: 'The rule has ICMP code {code}, but its ICMP type (port-range-min) is missing.',
    when: 'a rule has an ICMP code but no ICMP type',
  },
  DefaultSecurityGroupRuleNotFound: {
    status: 404,
    template: 'There is no default security group rule {id}.',
    when: 'no such default security group rule',
  },
  DefaultSecurityGroupRuleExists: {
    status: 409,
    template: 'Default rule {rule} already has these values.',
    when: 'an equal default rule is used in the same security groups',
  },
} as const satisfies ErrorKinds;
