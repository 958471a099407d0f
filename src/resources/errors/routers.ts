import type { ErrorKinds } from './kind.ts';

/** Errors of routers, their interfaces and extra routes. */
export const ROUTER_ERRORS = {
  RouterNotFound: { status: 404, template: 'Router {id} could not be found', when: 'no such router' },
  RouterInUse: {
    status: 409,
    template: 'Router {id} {reason}',
    when: 'the router to delete still has interfaces, or something depends on it',
  },
  RouterInterfaceNotFound: {
    status: 404,
    template: 'Port {port} is not an interface of router {router}.',
    when: 'the port is not an interface of the router',
  },
  RouterInterfaceNotFoundForSubnet: {
    status: 404,
    template: 'Router {router} has no interface on subnet {subnet}',
    when: 'no interface of the router is on the subnet',
  },
  RouterInterfaceInUseByRoute: {
    status: 409,
    template:
      'Router {router} must keep its interface on subnet {subnet} while the next hop of an extra route is there.',
    when: 'the next hop of an extra route is on the subnet',
  },
  SubnetMismatchForPort: {
    status: 400,
    template: 'Port {port} has no address on subnet {subnet}.',
    when: 'the port to remove from a router has no address on the subnet in the request',
  },
  InvalidRoutes: {
    status: 400,
    template: 'Invalid format for routes: {routes}, {reason}',
    when: 'the next hop of an extra route is on none of the networks of the router, or belongs to the router',
  },
  NoVRIDAvailable: {
    status: 409,
    template: 'Router {router} cannot be highly available: its project has {max} such routers already.',
    when: 'no VRID is free for a highly available router',
  },
  HANetworkConcurrentDeletion: {
    status: 409,
    template: 'The HA network of project {project} was deleted meanwhile; repeat the request.',
    when: 'other requests keep deleting the network of highly available routers while one needs it',
  },
  RoutesExhausted: {
    status: 400,
    template: 'Router {id} cannot have more than {quota} extra routes.',
    when: 'more than max_routes',
  },
} as const satisfies ErrorKinds;
