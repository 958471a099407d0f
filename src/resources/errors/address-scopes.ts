import type { ErrorKinds } from './kind.ts';

/** Errors of address scopes. */
export const ADDRESS_SCOPE_ERRORS = {
  AddressScopeNotFound: {
    status: 404,
    template: 'Address scope {id} could not be found.',
    when: 'no such address scope',
  },
  AddressScopeUpdateError: {
    status: 400,
    template: 'Unable to update address scope {id} : {reason}.',
    when: 'the update would make a shared address scope private',
  },
  AddressScopePrefixConflict: {
    status: 409,
    template: 'Failed to associate address scope: subnetpools within an address scope must have unique prefixes.',
    when: 'prefixes of two subnet pools of an address scope would overlap',
  },
  AddressScopeInUse: {
    status: 409,
    template:
      'Unable to complete operation on address scope {id}. There are one or more subnet pools in use on the address scope.',
    when: 'the address scope to delete still has subnet pools',
  },
  NetworkAddressScopeAffinityError: {
    status: 400,
    template:
      'Subnets of the same address family hosted on the same network must all participate in the same address scope.',
    when: 'subnets of a network would be in different address scopes',
  },
} as const satisfies ErrorKinds;
