import type { ErrorKinds } from './kind.ts';

/** Errors of RBAC policies. */
export const RBAC_POLICY_ERRORS = {
  RbacPolicyNotFound: {
    status: 404,
    template: 'There is no RBAC policy {id}.',
    when: 'no such RBAC policy',
  },
  DuplicateRbacPolicy: {
    status: 409,
    template: 'Another RBAC policy has this object, action and target project.',
    when: 'the object is shared with this target already',
  },
  InvalidActionForType: {
    status: 400,
    template: "Action '{action}' is not for objects of type {type}, which allow {valid}.",
    when: 'the type of object does not know the action of the RBAC policy',
  },
  RbacPolicyInUse: {
    status: 409,
    template: 'The access to object {id} cannot be withdrawn: {details}.',
    when: 'a project would lose access to what it uses',
  },
} as const satisfies ErrorKinds;
