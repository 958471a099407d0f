import type { ErrorKinds } from './kind.ts';

/** Errors of NDP proxies. */
export const NDP_PROXY_ERRORS = {
  NDPProxyNotFound: { status: 404, template: 'There is no NDP proxy {id}.', when: 'no such NDP proxy' },
  RouterGatewayInUseByNDPProxy: {
    status: 409,
    template: 'Router {router} must keep its gateway while it has NDP proxies.',
    when: 'the gateway to remove serves NDP proxies',
  },
  RouterInterfaceInUseByNDPProxy: {
    status: 409,
    template:
      'Router {router} must keep its interface on subnet {subnet} while NDP proxies announce addresses of the subnet.',
    when: 'NDP proxies announce addresses of the subnet',
  },
  RouterIPv6GatewayInUse: {
    status: 409,
    template: 'The gateway of router {router} must keep its IPv6 address while enable_ndp_proxy is true.',
    when: 'the gateway of a router with enable_ndp_proxy would lose its IPv6 address',
  },
  RouterGatewayNotValid: {
    status: 409,
    template: 'Router {router} cannot have enable_ndp_proxy: {reason}.',
    when: 'enable_ndp_proxy needs a gateway with an IPv6 address, on a network with an IPv6 address scope',
  },
  RouterNDPProxyNotEnable: {
    status: 409,
    template: 'NDP proxies need enable_ndp_proxy = true, which router {router} does not have.',
    when: 'an NDP proxy is created on a router without enable_ndp_proxy',
  },
  AddressScopeConflict: {
    status: 409,
    template:
      'The external network is in IPv6 address scope {external}, the internal network in {internal}: an NDP proxy needs both in the same one.',
    when: 'an NDP proxy would connect networks of different IPv6 address scopes',
  },
  PortUnreachableRouter: {
    status: 409,
    template: 'Router {router} has no interface on an IPv6 subnet of port {port}.',
    when: 'the router of an NDP proxy has no interface on an IPv6 subnet of the port',
  },
  InvalidAddress: {
    status: 400,
    template: '{address} cannot be the address of the NDP proxy: {reason}.',
    when: 'the address of an NDP proxy does not belong to its port, or is not reachable',
  },
} as const satisfies ErrorKinds;
