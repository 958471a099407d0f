import type { ErrorKinds } from './kind.ts';

/** Errors of address scopes. */
export const ADDRESS_SCOPE_ERRORS = {
  AddressScopeNotFound: {
    status: 404,
    template: 'There is no address scope {id}.',
    when: 'no such address scope',
  },
  AddressScopeUpdateError: {
    status: 400,
    template: 'Address scope {id} cannot be changed: {reason}.',
    when: 'the update would make a shared address scope private',
  },
  AddressScopePrefixConflict: {
    status: 409,
    template: 'The prefixes overlap those of another subnet pool in the same address scope.',
    when: 'prefixes of two subnet pools of an address scope would overlap',
  },
  AddressScopeInUse: {
    status: 409,
    template: 'Address scope {id} cannot be deleted because it contains subnet pools.',
    when: 'the address scope to delete still has subnet pools',
  },
  NetworkAddressScopeAffinityError: {
    status: 400,
    template: 'All subnets of a network that have the same IP version must be in the same address scope.',
    when: 'subnets of a network would be in different address scopes',
  },
} as const satisfies ErrorKinds;
