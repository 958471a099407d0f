import type { ErrorKinds } from './kind.ts';

/** Errors of port forwardings and conntrack helpers. */
export const PORT_FORWARDING_ERRORS = {
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
} as const satisfies ErrorKinds;
