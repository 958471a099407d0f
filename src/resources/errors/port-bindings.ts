import type { ErrorKinds } from './kind.ts';

/** Errors of bindings of ports to hosts. */
export const PORT_BINDING_ERRORS = {
  PortBindingNotFound: {
    status: 404,
    template: 'The port has no binding to host {id}.',
    when: 'the port has no binding to this host',
  },
  PortBindingAlreadyExists: {
    status: 409,
    template: 'Port {port} already has a binding to host {host}.',
    when: 'the port has a binding to this host',
  },
  PortBindingAlreadyActive: {
    status: 409,
    template: 'Port {port} is already active on host {host}.',
    when: 'the binding to activate is the active one',
  },
  PortBindingError: {
    status: 409,
    template: 'Port {port} cannot be bound to host {host}: no live L2 agent there reaches its network.',
    when: 'the host has no live L2 agent, or its agent cannot reach the network',
  },
  PortBound: {
    status: 409,
    template: 'Port {id} is bound ({vif}): its MAC address cannot change from {old} to {new}.',
    when: 'the request would change the MAC address of a bound port',
  },
} as const satisfies ErrorKinds;
