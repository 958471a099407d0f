import type { ErrorKinds } from './kind.ts';

/** Errors of address groups. */
export const ADDRESS_GROUP_ERRORS = {
  AddressGroupNotFound: {
    status: 404,
    template: 'Address group {id} could not be found.',
    when: 'no such address group',
  },
  AddressGroupInUse: {
    status: 409,
    template: 'Address group {id} is in use on one or more security group rules.',
    when: 'security group rules refer to the address group to delete',
  },
  AddressesNotFound: {
    status: 404,
    template: 'Addresses {addresses} not found in the address group {id}.',
    when: 'addresses to remove are not in the address group',
  },
  AddressesAlreadyExist: {
    status: 400,
    template: 'Addresses {addresses} already exist in the address group {id}.',
    when: 'addresses to add are in the address group already',
  },
} as const satisfies ErrorKinds;
