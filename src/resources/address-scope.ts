import { resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { identity } from './standard.ts';
import { boolean, oneOfNumbers } from './types.ts';

/** Address scopes (API reference: Networking v2.0, Address scopes). */
export const ADDRESS_SCOPE = resource({
  name: 'address_scope',
  plural: 'address_scopes',
  path: 'address-scopes',
  table: 'addressscopes',
  sharing: { table: 'addressscoperbacs', actions: ['access_as_shared'], extension: 'rbac-address-scope' },
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'scopeReader' },
  extension: 'address-scope',
  brings: [
    extension(
      'rbac-address-scope',
      'Add address_scope type to RBAC',
      '2020-02-12T00:00:00-00:00',
      'Address scopes can be shared.',
    ),
  ],
  help: 'a set of subnet pools whose addresses do not overlap',
  attributes: {
    ...identity('addressscopes'),
    ip_version: {
      type: oneOfNumbers([4, 6]),
      post: true,
      column: 'addressscopes.ip_version',
      sort: true,
      help: '4 or 6',
    },
    shared: {
      type: boolean,
      post: true,
      put: true,
      default: false,
      policy: { create: 'admin', update: 'admin' },
      help: 'usable by all projects',
    },
  },
});
