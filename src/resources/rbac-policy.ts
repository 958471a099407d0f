import type { AttributeType } from './attribute.ts';
import { resource } from './attribute.ts';
import { neutronError, shown } from './errors.ts';
import { extension } from './extensions.ts';
import { line, shownOnly, uuid } from './types.ts';

const column = (name: string) => `rbac_policies.${name}` as const;

/** A type of object, in any case. */
const objectType: AttributeType<string> = {
  schema: { type: 'string' },
  parse: (value, attribute) => line(255).parse(value, attribute).trim().toLowerCase(),
};

/**
 * The target of an entry: the id of a project, or `*`. Projects are compared as they are written, so a name gives nobody access.
 * Spaces around it are rejected because MariaDB would compare `* ` as equal to `*`, and an empty target would mean callers
 * without a project.
 */
const target: AttributeType<string> = {
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  parse(value, attribute) {
    const text = line(255).parse(value, attribute);
    if (text !== text.trim() || text === '')
      throw neutronError('InvalidInput', {
        reason: `${attribute} '${shown(text)}' is neither the id of a project nor '*'`,
      });
    return text;
  },
};

/** RBAC policies: who shares what with whom (API reference: Networking v2.0, RBAC Policies). */
export const RBAC_POLICY = resource({
  name: 'rbac_policy',
  plural: 'rbac_policies',
  path: 'rbac-policies',
  table: 'rbac_policies',
  quota: true,
  methods: ['create', 'list', 'show', 'update', 'delete'],
  extension: 'rbac-policies',
  brings: [
    extension(
      'rbac-policies',
      'RBAC Policies',
      '2015-06-17T12:15:12-00:00',
      'Resources can be shared with single projects.',
    ),
  ],
  help: 'gives a project, or all projects, access to a resource',
  attributes: {
    id: { type: shownOnly(uuid), column: column('id'), sort: true, help: 'UUID of the policy' },
    object_type: {
      type: objectType,
      post: true,
      column: column('object_type'),
      sort: true,
      help: 'type of the shared resource, such as network or security_group',
    },
    object_id: { type: uuid, post: true, column: column('object_id'), sort: true, help: 'the shared resource' },
    action: {
      type: line(255),
      post: true,
      column: column('action'),
      sort: true,
      help: 'access_as_shared, or access_as_external for networks',
    },
    target_tenant: {
      type: target,
      post: true,
      put: true,
      column: column('target_project'),
      sort: true,
      policy: { create: 'notWildcard', update: 'ownerNotWildcard' },
      help: 'id of the project that gets access; *: all projects',
    },
    tenant_id: {
      type: line(255),
      post: true,
      optional: true,
      column: column('project_id'),
      sort: true,
      help: 'project that owns the policy (older name of project_id)',
    },
    project_id: {
      type: line(255),
      post: true,
      optional: true,
      column: column('project_id'),
      sort: true,
      extension: 'project-id',
      help: 'project that owns the policy',
    },
  },
});
