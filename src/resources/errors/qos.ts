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
    template: 'QoS policy {id} is not visible to the project and cannot be removed by it.',
    when: 'a QoS policy that is not visible to the caller would be replaced or removed',
  },
  QosRuleNotFound: {
    status: 404,
    template: 'The QoS policy has no rule {id}.',
    when: 'the policy has no such rule',
  },
  QosPolicyInUse: {
    status: 409,
    template: 'QoS policy {id} cannot be deleted because {type} {user} uses it.',
    when: 'the policy to delete is used by a network, port, floating IP or router',
  },
  QoSRulesConflict: {
    status: 409,
    template: 'QoS policy {policy} already has a {type} rule for this direction: {rule}.',
    when: 'the policy has a rule of this type for this direction',
  },
  QoSRuleParameterConflict: {
    status: 409,
    template: '{value} contradicts the {type} rule of QoS policy {policy}, whose value is {existing}.',
    when: 'a guarantee would exceed a limit of the same policy',
  },
  QosRuleNotSupported: {
    status: 409,
    template: 'Rule {type} is not supported by port {port}.',
    when: 'a rule of the QoS policy of a port, or of its network, is none that the mechanism driver of the port supports',
  },
  QosRuleNotSupportedByNetwork: {
    status: 409,
    template: 'Rule {type} is not supported by network {network}.',
    when: 'a rule of the QoS policy of a network is none that a mechanism driver supports there',
  },
  QoSPolicyDefaultAlreadyExists: {
    status: 409,
    template: 'Project {project} has another default QoS policy.',
    when: 'the project has another default policy',
  },
} as const satisfies ErrorKinds;
