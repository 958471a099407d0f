import { resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { matching } from './security-group-rule.ts';
import { standardAttributes } from './standard.ts';
import { boolean, shownOnly, uuid } from './types.ts';

/** Default security group rules (API reference: Networking v2.0, Security group default rules). */
export const DEFAULT_SECURITY_GROUP_RULE = resource({
  name: 'default_security_group_rule',
  plural: 'default_security_group_rules',
  path: 'default-security-group-rules',
  table: 'securitygroupdefaultrules',
  standardAttributes: 'securitygroupdefaultrules',
  methods: ['create', 'list', 'show', 'delete'],
  policy: { show: 'admin', create: 'admin', delete: 'admin' },
  extension: 'security-groups-default-rules',
  brings: [
    extension(
      'security-groups-default-rules',
      'Default rules for security groups',
      '2022-12-19T10:00:00-00:00',
      'Rules that new security groups start with.',
    ),
  ],
  help: 'a rule that new security groups start with',
  attributes: {
    id: { type: shownOnly(uuid), column: 'securitygroupdefaultrules.id', sort: true, help: 'UUID' },
    ...matching('securitygroupdefaultrules'),
    used_in_default_sg: {
      type: boolean,
      post: true,
      default: false,
      column: 'securitygroupdefaultrules.used_in_default_sg',
      help: 'default groups of projects start with it',
    },
    used_in_non_default_sg: {
      type: boolean,
      post: true,
      default: true,
      column: 'securitygroupdefaultrules.used_in_non_default_sg',
      help: 'other groups start with it',
    },
    description: { ...standardAttributes.description, put: false },
  },
});
