import type { ErrorKinds } from './kind.ts';

/** Errors of NDP proxies. */
export const NDP_PROXY_ERRORS = {
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
} as const satisfies ErrorKinds;
