import type { ErrorKinds } from './kind.ts';

/** Errors of bindings of ports to hosts. */
export const PORT_BINDING_ERRORS = {
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
  PortBound: {
    status: 409,
    template:
      'Unable to complete operation on port {id}, port is already bound, port type: {vif}, old_mac {old}, new_mac {new}.',
    when: 'the request would change the MAC address of a bound port',
  },
} as const satisfies ErrorKinds;
