import type { ErrorKinds } from './kind.ts';

/** Errors of RBAC policies. */
export const RBAC_POLICY_ERRORS = {
  RbacPolicyNotFound: {
    status: 404,
    template: 'RBAC policy with ID {id} not found',
    when: 'no such RBAC policy',
  },
  DuplicateRbacPolicy: {
    status: 409,
    template: 'An RBAC policy already exists with those values.',
    when: 'the object is shared with this target already',
  },
  InvalidActionForType: {
    status: 400,
    template: "Invalid action '{action}' for object type '{type}'. Valid actions: {valid}",
    when: 'the type of object does not know the action of the RBAC policy',
  },
  RbacPolicyInUse: {
    status: 409,
    template: 'RBAC policy on object {id} cannot be removed because other objects depend on it. Details: {details}',
    when: 'a project would lose access to what it uses',
  },
} as const satisfies ErrorKinds;
