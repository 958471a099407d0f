import type { ErrorKinds } from './kind.ts';

/** Errors of port forwardings and conntrack helpers. */
export const PORT_FORWARDING_ERRORS = {
  PortForwardingNotFound: {
    status: 404,
    template: 'There is no port forwarding {id}.',
    when: 'no such port forwarding',
  },
  PortHasPortForwarding: {
    status: 400,
    template: 'Port {port} cannot have a floating IP because port forwardings lead to it.',
    when: 'a distributed router forwards ports to the port that a floating IP is to be associated with',
  },
  FipInUseByPortForwarding: {
    status: 409,
    template: 'Floating IP {id} has port forwardings; delete them first.',
    when: 'a floating IP with port forwardings would be associated or deleted',
  },
  PortHasBindingFloatingIP: {
    status: 409,
    template:
      'Port forwardings of floating IP {address} ({id}) cannot lead to {fixed} of port {port}, which has a floating IP of its own.',
    when: 'the internal port of a port forwarding has a floating IP of its own',
  },
  ConntrackHelperNotFound: {
    status: 404,
    template: 'There is no conntrack helper {id}.',
    when: 'no such conntrack helper',
  },
  ConntrackHelperNotAllowed: {
    status: 400,
    template: "Conntrack helper '{helper}' is not in allowed_conntrack_helpers.",
    when: 'allowed_conntrack_helpers does not contain the helper',
  },
  InvalidProtocolForHelper: {
    status: 400,
    template: "Conntrack helper '{helper}' is for {supported}, not for {protocol}.",
    when: 'allowed_conntrack_helpers contains the helper with other protocols only',
  },
} as const satisfies ErrorKinds;
