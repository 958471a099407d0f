import type { ErrorKinds } from './kind.ts';

/** Errors of networks and auto-allocated topologies. */
export const NETWORK_ERRORS = {
  NetworkNotFound: { status: 404, template: 'Network {id} could not be found.', when: 'no such network' },
  ExternalNetworkInUse: {
    status: 409,
    template: 'Network {id} must stay external while routers have gateways on it.',
    when: 'an external network with gateway ports of routers would no longer be external',
  },
  NetworkInUse: {
    status: 409,
    template:
      'Unable to complete operation on network {id}. There are one or more ports still in use on the network, id for these ports is: {ports}.',
    when: 'the network to delete still has ports',
  },
  InvalidSharedSetting: {
    status: 409,
    template: 'Network {id} must stay shared because other projects use it.',
    when: 'a network that other projects use would no longer be shared',
  },
  AutoAllocationFailure: {
    status: 409,
    template: 'Deployment error: {reason}.',
    when: 'a topology cannot be allocated: it needs a default external network and a default subnet pool',
  },
  DefaultExternalNetworkExists: {
    status: 409,
    template: 'Network {id} is the default external network already; there can be only one.',
    when: 'a second external network would be the default one',
  },
} as const satisfies ErrorKinds;
