import { type Attributes, type Extension, type Resource, resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { identity, standardAttributes, tags } from './standard.ts';
import { boolean, integer, line, oneOf, oneOfNumbers, readOnly, shownOnly, uuid } from './types.ts';

/** QoS policies, their rules, and the types of rules (API reference: Networking v2.0, QoS). */

const kbps = integer({ min: 0 });
/** DSCP marks that are in use (RFC 2474, RFC 2597, RFC 3246): even numbers of these classes. */
const DSCP_MARKS = [0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 46, 48, 56] as const;

/** Attributes of a rule that are stored in its table. */
const ruleAttributes = <const T extends string, const A extends Attributes>(table: T, parameters: A) =>
  ({
    id: { type: shownOnly(uuid), column: `${table}.id`, sort: true, help: 'UUID of the rule' },
    // Set by the path, never shown.
    policy_id: { type: shownOnly(uuid), column: `${table}.qos_policy_id`, visible: false, help: 'its policy' },
    ...parameters,
  }) as const;

const direction = <const T extends string, const D extends readonly string[]>(table: T, directions: D) =>
  ({
    type: oneOf(directions),
    post: true,
    put: true,
    column: `${table}.direction`,
    sort: true,
    help: 'direction of the traffic, seen from the port',
  }) as const;

const BOTH = ['ingress', 'egress'] as const;

/** A rule of a policy, below the policy's path. */
const ruleOf = <const R extends Pick<Resource, 'name' | 'plural' | 'table' | 'attributes' | 'help'>>(declared: R) =>
  resource({
    ...declared,
    path: declared.plural,
    notFound: 'QosRuleNotFound',
    parent: { name: 'policy', by: 'policy_id', inPath: true },
    methods: ['create', 'list', 'show', 'update', 'delete'],
    // Who sees the policy sees its rules.
    policy: { show: 'publicReader', create: 'parentManager', update: 'parentManager', delete: 'parentManager' },
    extension: 'qos',
  });

const BANDWIDTH_LIMIT_RULE = ruleOf({
  name: 'bandwidth_limit_rule',
  plural: 'bandwidth_limit_rules',
  table: 'qos_bandwidth_limit_rules',
  help: 'the bandwidth that a port cannot exceed',
  attributes: ruleAttributes('qos_bandwidth_limit_rules', {
    max_kbps: {
      type: kbps,
      post: true,
      put: true,
      column: 'qos_bandwidth_limit_rules.max_kbps',
      sort: true,
      help: 'maximum bandwidth in kbit/s',
    },
    max_burst_kbps: {
      type: kbps,
      post: true,
      put: true,
      default: 0,
      column: 'qos_bandwidth_limit_rules.max_burst_kbps',
      sort: true,
      help: 'maximum burst in kbit; 0: chosen by the agent',
    },
    direction: {
      ...direction('qos_bandwidth_limit_rules', BOTH),
      default: 'egress',
      extension: 'qos-bw-limit-direction',
    },
  }),
});

const DSCP_MARKING_RULE = ruleOf({
  name: 'dscp_marking_rule',
  plural: 'dscp_marking_rules',
  table: 'qos_dscp_marking_rules',
  help: 'the DSCP mark of packets that a port sends',
  attributes: ruleAttributes('qos_dscp_marking_rules', {
    dscp_mark: {
      type: oneOfNumbers(DSCP_MARKS),
      post: true,
      put: true,
      column: 'qos_dscp_marking_rules.dscp_mark',
      sort: true,
      help: 'DSCP mark',
    },
  }),
});

const MINIMUM_BANDWIDTH_RULE = ruleOf({
  name: 'minimum_bandwidth_rule',
  plural: 'minimum_bandwidth_rules',
  table: 'qos_minimum_bandwidth_rules',
  help: 'the bandwidth that is guaranteed to a port',
  attributes: ruleAttributes('qos_minimum_bandwidth_rules', {
    min_kbps: {
      type: kbps,
      post: true,
      put: true,
      column: 'qos_minimum_bandwidth_rules.min_kbps',
      sort: true,
      help: 'guaranteed bandwidth in kbit/s',
    },
    direction: {
      ...direction('qos_minimum_bandwidth_rules', BOTH),
      default: 'egress',
      extension: 'qos-bw-minimum-ingress',
    },
  }),
});

const PACKET_RATE_LIMIT_RULE = ruleOf({
  name: 'packet_rate_limit_rule',
  plural: 'packet_rate_limit_rules',
  table: 'qos_packet_rate_limit_rules',
  help: 'the packet rate that a port cannot exceed',
  attributes: ruleAttributes('qos_packet_rate_limit_rules', {
    max_kpps: {
      type: kbps,
      post: true,
      put: true,
      column: 'qos_packet_rate_limit_rules.max_kpps',
      sort: true,
      extension: 'qos-pps',
      help: 'maximum rate in thousands of packets per second',
    },
    max_burst_kpps: {
      type: kbps,
      post: true,
      put: true,
      default: 0,
      column: 'qos_packet_rate_limit_rules.max_burst_kpps',
      sort: true,
      extension: 'qos-pps',
      help: 'maximum burst in thousands of packets; 0: chosen by the agent',
    },
    direction: { ...direction('qos_packet_rate_limit_rules', BOTH), default: 'egress', extension: 'qos-pps' },
  }),
});

const MINIMUM_PACKET_RATE_RULE = ruleOf({
  name: 'minimum_packet_rate_rule',
  plural: 'minimum_packet_rate_rules',
  table: 'qos_minimum_packet_rate_rules',
  help: 'the packet rate that is guaranteed to a port',
  attributes: ruleAttributes('qos_minimum_packet_rate_rules', {
    min_kpps: {
      type: kbps,
      post: true,
      put: true,
      column: 'qos_minimum_packet_rate_rules.min_kpps',
      sort: true,
      extension: 'qos-pps-minimum',
      help: 'guaranteed rate in thousands of packets per second',
    },
    direction: {
      ...direction('qos_minimum_packet_rate_rules', ['ingress', 'egress', 'any']),
      default: 'egress',
      extension: 'qos-pps-minimum',
    },
  }),
});

/** The types of rules by their names in documents and in rule types. */
export const QOS_RULES = {
  bandwidth_limit: BANDWIDTH_LIMIT_RULE,
  dscp_marking: DSCP_MARKING_RULE,
  minimum_bandwidth: MINIMUM_BANDWIDTH_RULE,
  packet_rate_limit: PACKET_RATE_LIMIT_RULE,
  minimum_packet_rate: MINIMUM_PACKET_RATE_RULE,
} as const;

export type QosRuleType = keyof typeof QOS_RULES;

/** A rule of any type in the document of its policy: its parameters, with `type` and the id of the policy. */
export type QosRuleDocument = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly type: QosRuleType;
  readonly qos_policy_id: string;
};

const QOS_EXTENSIONS: readonly Extension[] = [
  extension('qos', 'Quality of Service', '2015-06-08T10:00:00-00:00', 'QoS policies and their rules.'),
  extension(
    'qos-default',
    'QoS default policy',
    '2017-041-06T10:00:00-00:00',
    'A default QoS policy for each project.',
  ),
  extension(
    'qos-rule-type-details',
    'Details of QoS rule types',
    '2017-06-22T10:00:00-00:00',
    'Parameters of a rule type that each driver supports.',
  ),
  extension(
    'qos-rules-alias',
    'Quality of Service rules alias API',
    '2018-10-07T10:00:00-00:00',
    'QoS rules without the id of their policy.',
  ),
  extension(
    'qos-bw-limit-direction',
    'Direction for QoS bandwidth limit rule',
    '2017-04-10T10:00:00-00:00',
    'Bandwidth limits for one direction.',
  ),
  extension(
    'qos-bw-minimum-ingress',
    'Ingress direction for QoS minimum bandwidth rule',
    '2018-07-09T10:00:00-00:00',
    'Guaranteed bandwidth for incoming traffic.',
  ),
  extension(
    'qos-pps',
    'QoS Rule Type Packet per Second Extension',
    '2021-05-12T10:00:00-00:00',
    'Limits of the packet rate.',
  ),
  extension(
    'qos-pps-minimum',
    'QoS minimum packet rate rule',
    '2021-07-14T10:00:00-00:00',
    'Guarantees of the packet rate.',
  ),
  extension(
    'qos-pps-minimum-rule-alias',
    'QoS minimum packet rate rule alias',
    '2021-10-22T10:00:00-00:00',
    'Minimum packet rate rules without the id of their policy.',
  ),
  extension(
    'qos-rule-type-filter',
    'Allow to filter the list of QoS rule types',
    '2022-02-02T10:00:00-00:00',
    'Filters all_rules and all_supported of rule types.',
  ),
];

export const QOS_POLICY = resource({
  name: 'policy',
  plural: 'policies',
  path: 'qos/policies',
  notFound: 'QosPolicyNotFound',
  table: 'qos_policies',
  standardAttributes: 'qos_policies',
  tagged: true,
  tagPath: 'policies',
  sharing: { table: 'qospolicyrbacs', objectType: 'qos_policy', actions: ['access_as_shared'] },
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'qosReader', create: 'manager', update: 'manager', delete: 'manager' },
  extension: 'qos',
  brings: QOS_EXTENSIONS,
  help: 'limits and guarantees for the traffic of ports and networks',
  attributes: {
    ...identity('qos_policies'),
    shared: {
      type: boolean,
      post: true,
      put: true,
      default: false,
      policy: { create: 'admin', update: 'admin' },
      help: 'usable by all projects',
    },
    is_default: {
      type: boolean,
      post: true,
      put: true,
      default: false,
      extension: 'qos-default',
      help: 'policy of new networks of the project that name none',
    },
    rules: {
      type: readOnly<readonly QosRuleDocument[]>({ type: 'array', items: { type: 'object' } }),
      help: 'its rules',
    },
    ...standardAttributes,
    ...tags,
  },
});

/** A rule by its id alone: the same rows as below the policies' paths. */
const aliasOf = <const R extends Resource>(rule: R, alias: string) =>
  resource({
    name: `alias_${rule.name}`,
    plural: `alias_${rule.plural}`,
    path: `qos/alias-${rule.plural.replaceAll('_', '-')}`,
    notFound: 'QosPolicyNotFound',
    table: rule.table ?? '',
    methods: ['show', 'update', 'delete'],
    policy: { show: 'publicReader', update: 'admin', delete: 'admin' },
    extension: alias,
    help: rule.help,
    attributes: rule.attributes,
  });

/** The rules that can be addressed without their policy, with their own declarations. */
export const QOS_RULE_ALIASES = [
  [BANDWIDTH_LIMIT_RULE, aliasOf(BANDWIDTH_LIMIT_RULE, 'qos-rules-alias')],
  [DSCP_MARKING_RULE, aliasOf(DSCP_MARKING_RULE, 'qos-rules-alias')],
  [MINIMUM_BANDWIDTH_RULE, aliasOf(MINIMUM_BANDWIDTH_RULE, 'qos-rules-alias')],
  [MINIMUM_PACKET_RATE_RULE, aliasOf(MINIMUM_PACKET_RATE_RULE, 'qos-pps-minimum-rule-alias')],
] as const;

export const QOS_RULE_TYPE = resource({
  name: 'rule_type',
  plural: 'rule_types',
  path: 'qos/rule-types',
  key: 'type',
  table: 'qos_rule_types',
  methods: ['list', 'show'],
  policy: { show: 'publicReader' },
  extension: 'qos',
  help: 'a type of QoS rule that the servers and agents support',
  attributes: {
    type: { type: shownOnly(line(255)), column: 'qos_rule_types.id', help: 'name of the type' },
    drivers: {
      type: readOnly<readonly Readonly<Record<string, unknown>>[]>({ type: 'array', items: { type: 'object' } }),
      visible: 'sometimes',
      extension: 'qos-rule-type-details',
      help: 'mechanism drivers with the parameters that they support; only in the document of one type',
    },
  },
});
