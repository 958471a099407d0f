import type { ErrorKinds } from './kind.ts';

/** Errors of flavors and service profiles. */
export const FLAVOR_ERRORS = {
  InvalidServiceType: {
    status: 400,
    template: 'Invalid service type {type}.',
    when: 'a flavor is for an unknown service, or a router has a flavor for another service',
  },
  FlavorNotFound: { status: 404, template: 'Flavor {id} could not be found.', when: 'no such flavor' },
  FlavorInUse: {
    status: 409,
    template: 'Flavor {id} is used by some service instance.',
    when: 'routers have the flavor to delete',
  },
  FlavorDisabled: {
    status: 409,
    template: 'Flavor is not enabled.',
    when: 'a router is created with a disabled flavor (Neutron: 503)',
  },
  ServiceProfileNotFound: {
    status: 404,
    template: 'Service Profile {id} could not be found.',
    when: 'no such service profile',
  },
  ServiceProfileInUse: {
    status: 409,
    template: 'Service Profile {id} is used by some service instance.',
    when: 'a flavor has the service profile to change or delete',
  },
  ServiceProfileDisabled: {
    status: 409,
    template: 'Service Profile is not enabled.',
    when: 'a router is created with a flavor whose service profile is disabled (Neutron: 503)',
  },
  ServiceProfileEmpty: {
    status: 400,
    template: 'Service Profile needs either a driver or metainfo.',
    when: 'a service profile has neither',
  },
  ServiceProfileDriverNotFound: {
    status: 404,
    template: 'Service Profile driver {driver} could not be found.',
    when: 'no service provider has the driver of a service profile',
  },
  FlavorServiceProfileBindingExists: {
    status: 409,
    template: 'Service Profile {profile} is already associated with flavor {flavor}.',
    when: 'the flavor already has the service profile',
  },
  FlavorServiceProfileBindingNotFound: {
    status: 404,
    template: 'Service Profile {profile} is not associated with flavor {flavor}.',
    when: 'the flavor does not have the service profile, or a router is created with a flavor that has none',
  },
} as const satisfies ErrorKinds;
