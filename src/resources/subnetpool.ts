import { resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { identity, standardAttributes, tags } from './standard.ts';
import {
  filledLine,
  onboardBody,
  poolPrefixes,
  poolPrefixLength,
  poolQuota,
  prefixesBody,
} from './subnetpool-types.ts';
import { boolean, integer, nullable, shownOnly, uuid } from './types.ts';

const prefixesAnswer = {
  type: 'object',
  required: ['prefixes'],
  properties: { prefixes: { type: 'array', items: { type: 'string' } } },
} as const;

/** Subnet pools (API reference: Networking v2.0, Subnet pools). */
export const SUBNETPOOL = resource({
  name: 'subnetpool',
  plural: 'subnetpools',
  path: 'subnetpools',
  core: true,
  table: 'subnetpools',
  notFound: 'SubnetPoolNotFound',
  standardAttributes: 'subnetpools',
  tagged: true,
  quota: true,
  sharing: { table: 'subnetpoolrbacs', actions: ['access_as_shared'], extension: 'rbac-subnetpool' },
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'poolReader' },
  actions: {
    onboard_network_subnets: {
      method: 'put',
      body: onboardBody,
      answer: {
        type: 'array',
        items: { type: 'object', properties: { id: { type: 'string' }, cidr: { type: 'string' } } },
      },
      extension: 'subnet_onboard',
      help: 'add the subnets of a network to the pool',
    },
    add_prefixes: {
      method: 'put',
      body: prefixesBody,
      answer: prefixesAnswer,
      extension: 'subnetpool-prefix-ops',
      help: 'add prefixes',
    },
    remove_prefixes: {
      method: 'put',
      body: prefixesBody,
      answer: prefixesAnswer,
      extension: 'subnetpool-prefix-ops',
      help: 'remove prefixes that no subnet uses',
    },
  },
  extension: 'subnet_allocation',
  brings: [
    extension(
      'rbac-subnetpool',
      'Add subnetpool type to RBAC',
      '2020-02-05T00:00:00-00:00',
      'Subnet pools can be shared.',
    ),
    extension(
      'subnet_onboard',
      'Subnet Onboard',
      '2018-12-18T09:00:00-00:00',
      'Existing subnets can become part of a subnet pool.',
    ),
    extension(
      'subnetpool-prefix-ops',
      'Subnet Pool Prefix Operations',
      '2019-02-08T10:00:00-00:00',
      'Prefixes of a subnet pool can be added and removed one by one.',
    ),
  ],
  help: 'prefixes that subnets are allocated from',
  attributes: {
    ...identity('subnetpools'),
    name: { type: filledLine, post: true, put: true, column: 'subnetpools.name', sort: true, help: 'name' },
    prefixes: {
      type: poolPrefixes,
      post: true,
      put: true,
      help: 'prefixes, merged where possible; an update must contain those that the pool has',
    },
    ip_version: {
      type: shownOnly(integer()),
      column: 'subnetpools.ip_version',
      sort: true,
      help: 'IP version of the prefixes',
    },
    min_prefixlen: {
      type: poolPrefixLength,
      post: true,
      put: true,
      optional: true,
      column: 'subnetpools.min_prefixlen',
      sort: true,
      help: 'shortest prefix of subnets; default: 8 for IPv4, 64 for IPv6',
    },
    max_prefixlen: {
      type: poolPrefixLength,
      post: true,
      put: true,
      optional: true,
      column: 'subnetpools.max_prefixlen',
      sort: true,
      help: 'longest prefix of subnets; default: 32 for IPv4, 128 for IPv6',
    },
    default_prefixlen: {
      type: poolPrefixLength,
      post: true,
      put: true,
      optional: true,
      column: 'subnetpools.default_prefixlen',
      sort: true,
      help: 'prefix length of subnets that do not request one; default: min_prefixlen',
    },
    default_quota: {
      type: poolQuota,
      post: true,
      put: true,
      optional: true,
      column: 'subnetpools.default_quota',
      // As in Neutron, responses to updates omit it while it is null.
      visible: 'sometimes',
      sort: true,
      help: 'how much each project can allocate, in addresses for IPv4 and in /64 prefixes for IPv6; 0 or null: unlimited',
    },
    is_default: {
      type: boolean,
      post: true,
      put: true,
      default: false,
      column: 'subnetpools.is_default',
      sort: true,
      policy: { create: 'admin', update: 'admin' },
      help: 'default pool of its IP version, of which there is at most one',
    },
    shared: {
      type: boolean,
      post: true,
      default: false,
      policy: { create: 'admin' },
      help: 'usable by all projects',
    },
    address_scope_id: {
      type: nullable(uuid),
      post: true,
      put: true,
      optional: true,
      column: 'subnetpools.address_scope_id',
      // As in Neutron, responses to updates omit it while it is null, unless they set it.
      visible: 'sometimes',
      sort: true,
      extension: 'address-scope',
      help: 'address scope of its prefixes',
    },
    ...standardAttributes,
    ...tags,
  },
});
