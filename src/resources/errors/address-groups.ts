import type { ErrorKinds } from './kind.ts';

/** Errors of address groups. */
export const ADDRESS_GROUP_ERRORS = {
  AddressGroupNotFound: {
    status: 404,
    template: 'There is no address group {id}.',
    when: 'no such address group',
  },
  AddressGroupInUse: {
    status: 409,
    template: 'Address group {id} cannot be deleted because security group rules refer to it.',
    when: 'security group rules refer to the address group to delete',
  },
  AddressesNotFound: {
    status: 404,
    template: 'Address group {id} does not contain {addresses}.',
    when: 'addresses to remove are not in the address group',
  },
  AddressesAlreadyExist: {
    status: 400,
    template: 'Address group {id} already contains {addresses}.',
    when: 'addresses to add are in the address group already',
  },
} as const satisfies ErrorKinds;
