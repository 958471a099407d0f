import type { ErrorKinds } from './kind.ts';

/** Errors of flavors and service profiles. */
export const FLAVOR_ERRORS = {
  InvalidServiceType: {
    status: 400,
    template: "Service type '{type}' is not possible here.",
    when: 'a flavor is for an unknown service, or a router has a flavor for another service',
  },
  FlavorNotFound: { status: 404, template: 'There is no flavor {id}.', when: 'no such flavor' },
  FlavorInUse: {
    status: 409,
    template: 'Flavor {id} cannot be deleted because routers have it.',
    when: 'routers have the flavor to delete',
  },
  FlavorDisabled: {
    status: 409,
    template: 'Flavor {id} is disabled.',
    when: 'a router is created with a disabled flavor (Neutron: 503)',
  },
  ServiceProfileNotFound: {
    status: 404,
    template: 'There is no service profile {id}.',
    when: 'no such service profile',
  },
  ServiceProfileInUse: {
    status: 409,
    template: 'Service profile {id} cannot be changed or deleted because flavors have it.',
    when: 'a flavor has the service profile to change or delete',
  },
  ServiceProfileDisabled: {
    status: 409,
    template: 'The service profile of flavor {flavor} is disabled.',
    when: 'a router is created with a flavor whose service profile is disabled (Neutron: 503)',
  },
  ServiceProfileEmpty: {
    status: 400,
    template: 'driver and metainfo of a service profile cannot both be empty.',
    when: 'a service profile has neither',
  },
  ServiceProfileDriverNotFound: {
    status: 404,
    template: "No service provider has the driver '{driver}'.",
    when: 'no service provider has the driver of a service profile',
  },
  FlavorServiceProfileBindingExists: {
    status: 409,
    template: 'Flavor {flavor} already has service profile {profile}.',
    when: 'the flavor already has the service profile',
  },
  FlavorServiceProfileBindingNotFound: {
    status: 404,
    template: 'Flavor {flavor} lacks service profile {profile}.',
    when: 'the flavor does not have the service profile, or a router is created with a flavor that has none',
  },
} as const satisfies ErrorKinds;
