import { type DocumentOf, resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { ethertype, portNumber, protocol, reference, remotePrefix } from './security-group-types.ts';
import { identity, standardAttributes } from './standard.ts';
import { cidr, line, nullable, oneOf, readOnly, shownAs, text } from './types.ts';

const { name: _name, ...own } = identity('securitygrouprules');
const { description: standardDescription, ...times } = standardAttributes;

/** What a rule and a default rule match, stored in a table of either. */
export const matching = <const T extends string>(table: T) =>
  ({
    direction: {
      type: oneOf(['ingress', 'egress']),
      post: true,
      column: `${table}.direction`,
      sort: true,
      help: 'ingress: to ports of the group; egress: from them',
    },
    ethertype: {
      type: ethertype,
      post: true,
      default: 'IPv4',
      column: `${table}.ethertype`,
      sort: true,
      help: 'IPv4 or IPv6',
    },
    protocol: {
      type: protocol,
      post: true,
      default: null,
      column: `${table}.protocol`,
      sort: true,
      help: 'name or number of the IP protocol; null: all',
    },
    port_range_min: {
      type: portNumber,
      post: true,
      default: null,
      column: `${table}.port_range_min`,
      sort: true,
      help: 'first port, or type of ICMP messages',
    },
    port_range_max: {
      type: portNumber,
      post: true,
      default: null,
      column: `${table}.port_range_max`,
      sort: true,
      help: 'last port, or code of ICMP messages',
    },
    remote_ip_prefix: {
      type: remotePrefix,
      post: true,
      default: null,
      column: `${table}.remote_ip_prefix`,
      sort: true,
      help: 'addresses of the other side; at most one remote_* attribute is set',
    },
    remote_group_id: {
      type: reference,
      post: true,
      default: null,
      column: `${table}.remote_group_id`,
      sort: true,
      help: 'the other side is a port of this security group',
    },
    remote_address_group_id: {
      type: reference,
      post: true,
      default: null,
      column: `${table}.remote_address_group_id`,
      sort: true,
      extension: 'security-groups-remote-address-group',
      help: 'the other side has an address of this address group',
    },
  }) as const;

/** Security group rules (API reference: Networking v2.0, Security group rules). */
export const SECURITY_GROUP_RULE = resource({
  name: 'security_group_rule',
  plural: 'security_group_rules',
  path: 'security-group-rules',
  table: 'securitygrouprules',
  standardAttributes: 'securitygrouprules',
  quota: true,
  // Neutron routes updates, although no attribute can change.
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'groupRuleReader', create: 'owner' },
  hidden: 'HTTPNotFound',
  extension: 'security-group',
  brings: [
    extension(
      'security-groups-normalized-cidr',
      'Normalized CIDR field for security group rules',
      '2020-07-28T10:00:00-00:00',
      'remote_ip_prefix of a rule without host bits.',
    ),
    extension(
      'security-groups-remote-address-group',
      'Remote address group id field for security group rules',
      '2020-08-25T10:00:00-00:00',
      'Rules for the addresses of an address group.',
    ),
    extension(
      'security-groups-rules-belongs-to-default-sg',
      "Security group rule belongs to the project's default security group",
      '2023-05-23T10:00:00-00:00',
      'Whether a rule is one of the default security group of its project.',
    ),
  ],
  help: 'traffic that a security group permits',
  attributes: {
    ...own,
    security_group_id: {
      type: line(36),
      post: true,
      column: 'securitygrouprules.security_group_id',
      sort: true,
      help: 'its security group',
    },
    ...matching('securitygrouprules'),
    normalized_cidr: {
      type: readOnly<string | null>({ type: ['string', 'null'] }, { ...(cidr.filter ? { filter: cidr.filter } : {}) }),
      column: 'securitygrouprules.normalized_cidr',
      sort: true,
      extension: 'security-groups-normalized-cidr',
      help: 'remote_ip_prefix with host bits cleared',
    },
    belongs_to_default_sg: {
      type: readOnly<true>({ type: 'boolean', const: true }),
      // Absent means false: rules of other groups look as they did before the extension.
      visible: 'sometimes',
      extension: 'security-groups-rules-belongs-to-default-sg',
      help: 'its security group is the default one of its project; absent if not',
    },
    description: {
      ...standardDescription,
      put: false,
      type: shownAs(text(255), nullable(text(255))),
      // In a column of its own, because it is null in rules that Neutrino creates.
      column: 'securitygrouprules.description',
      help: 'free text; null in rules that come with a new group',
    },
    ...times,
  },
});

export type RuleDocument = DocumentOf<typeof SECURITY_GROUP_RULE>;

/** A rule as the document of its group contains it. */
export interface NestedRule extends RuleDocument {
  readonly standard_attr_id: number;
  readonly tags: readonly string[];
}
