import type { ErrorKinds } from './kind.ts';

/** Errors of floating IPs. */
export const FLOATING_IP_ERRORS = {
  RouterInterfaceInUseByFloatingIP: {
    status: 409,
    template:
      'Router interface for subnet {subnet} on router {router} cannot be deleted, as it is required by one or more floating IPs.',
    when: 'floating IPs of the router lead to the subnet',
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
} as const satisfies ErrorKinds;
