import { resource } from './attribute.ts';
import { extension } from './extensions.ts';
import type { NestedRule } from './security-group-rule.ts';
import { groupName } from './security-group-types.ts';
import { identity, standardAttributes, tags } from './standard.ts';
import { boolean, readOnly } from './types.ts';

const own = identity('securitygroups');

/** Security groups (API reference: Networking v2.0, Security groups). */
export const SECURITY_GROUP = resource({
  name: 'security_group',
  plural: 'security_groups',
  path: 'security-groups',
  table: 'securitygroups',
  sharing: { table: 'securitygrouprbacs', actions: ['access_as_shared'], extension: 'rbac-security-groups' },
  standardAttributes: 'securitygroups',
  tagged: true,
  quota: true,
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'groupReader', create: 'owner' },
  extension: 'security-group',
  brings: [
    extension(
      'rbac-security-groups',
      'Add security_group type to network RBAC',
      '2019-02-14T00:00:00-00:00',
      'Security groups can be shared.',
    ),
    extension(
      'stateful-security-group',
      'Stateful security group',
      '2019-11-26T09:00:00-00:00',
      'Security groups with or without connection tracking.',
    ),
    extension(
      'security-groups-shared-filtering',
      'Security group filtering on the shared field',
      '2021-10-05T09:00:00-00:00',
      'Security groups can be listed by shared.',
    ),
  ],
  help: 'rules that say which traffic reaches and leaves ports',
  attributes: {
    ...own,
    name: { ...own.name, type: groupName, help: 'name; does not have to be unique; default is reserved' },
    stateful: {
      type: boolean,
      post: true,
      put: true,
      default: true,
      column: 'securitygroups.stateful',
      extension: 'stateful-security-group',
      help: 'replies to permitted traffic are permitted; cannot change while ports use the group',
    },
    shared: {
      type: readOnly<boolean>({ type: 'boolean' }),
      extension: 'security-groups-shared-filtering',
      help: 'usable by the project of the caller without belonging to it, or by all projects',
    },
    security_group_rules: {
      type: readOnly<readonly NestedRule[]>({
        type: 'array',
        items: { $ref: '#/components/schemas/SecurityGroupRule' },
      }),
      help: 'its rules',
    },
    ...standardAttributes,
    ...tags,
  },
});
