import type { ErrorKinds } from './kind.ts';

/** Errors of floating IPs. */
export const FLOATING_IP_ERRORS = {
  RouterInterfaceInUseByFloatingIP: {
    status: 409,
    template: 'Router {router} must keep its interface on subnet {subnet} while floating IPs lead there.',
    when: 'floating IPs of the router lead to the subnet',
  },
  RouterExternalGatewayInUseByFloatingIp: {
    status: 409,
    template: 'Router {router} must keep its gateway to network {network} while floating IPs use it.',
    when: 'the gateway to remove serves floating IPs',
  },
  FloatingIPNotFound: {
    status: 404,
    template: 'There is no floating IP {id}.',
    when: 'no such floating IP',
  },
  ExternalGatewayForFloatingIPNotFound: {
    status: 404,
    template:
      'Floating IPs of network {network} cannot lead to port {port}: no router connects its subnet {subnet} with that network.',
    when: 'no router connects the subnet of the internal port with the external network of the floating IP',
  },
  FloatingIPPortAlreadyAssociated: {
    status: 409,
    template:
      'Floating IP {address} ({id}) of network {network} cannot lead to {fixed} of port {port}: one of the two addresses is in use by another association.',
    when: 'the fixed IP has another floating IP on this network, or the floating IP of a new port forwarding has a port',
  },
  ExternalIpAddressExhausted: {
    status: 400,
    template: 'External network {network} has no free IPv4 address.',
    when: 'a floating IP would get no IPv4 address',
  },
} as const satisfies ErrorKinds;
