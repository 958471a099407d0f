import type { ErrorKinds } from './kind.ts';

/** Errors of QoS policies and rules. */
export const QOS_ERRORS = {
  QosPolicyNotFound: {
    status: 404,
    template: 'QoS policy {id} could not be found.',
    when: 'qos_policy_id refers to a policy that does not exist',
  },
  PolicyRemoveAuthorizationError: {
    status: 403,
    template: 'Failed to remove provided policy {id} because you are not authorized.',
    when: 'a QoS policy that is not visible to the caller would be replaced or removed',
  },
  QosRuleNotFound: {
    status: 404,
    template: 'QoS rule {id} could not be found.',
    when: 'the policy has no such rule',
  },
  QosPolicyInUse: {
    status: 409,
    template: 'QoS Policy {id} is used by {type} {user}.',
    when: 'the policy to delete is used by a network, port, floating IP or router',
  },
  QoSRulesConflict: {
    status: 409,
    template: 'Rule {type} conflicts with rule {rule} which already exists in QoS Policy {policy}.',
    when: 'the policy has a rule of this type for this direction',
  },
  QoSRuleParameterConflict: {
    status: 409,
    template:
      'Unable to add the rule with value {value} to the policy {policy} as the existing rule of type {type} has value {existing}.',
    when: 'a guarantee would exceed a limit of the same policy',
  },
  QoSPolicyDefaultAlreadyExists: {
    status: 409,
    template: 'A default QoS policy exists for project {project}.',
    when: 'the project has another default policy',
  },
} as const satisfies ErrorKinds;
