import { resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { NAT_PROTOCOLS, type NatProtocol } from './nat-protocols.ts';
import { integer, line, oneOf, shownOnly, uuid } from './types.ts';

/** A conntrack helper, in the document of its router. */
export interface ConntrackHelperSummary {
  readonly protocol: NatProtocol;
  readonly port: number;
  readonly helper: string;
}

const project = {
  type: line(255),
  post: true,
  optional: true,
  visible: false,
  help: 'accepted; it belongs to the project of its router',
} as const;

/** Conntrack helpers of a router (API reference: Networking v2.0, Router conntrack helper). */
export const CONNTRACK_HELPER = resource({
  name: 'conntrack_helper',
  notFound: 'ConntrackHelperNotFound',
  plural: 'conntrack_helpers',
  path: 'conntrack_helpers',
  table: 'conntrack_helpers',
  parent: { name: 'router', by: 'router_id', inPath: true, lenient: true },
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'parentReader', create: 'parentOwner', update: 'parentOwner', delete: 'parentOwner' },
  extension: 'l3-conntrack-helper',
  brings: [
    extension(
      'l3-conntrack-helper',
      'L3 Conntrack helper',
      '2019-04-04T10:00:00-00:00',
      'Helpers by which a router tracks connections of protocols such as TFTP.',
    ),
  ],
  help: 'lets a router track connections of a protocol that opens further ones, such as TFTP',
  attributes: {
    id: { type: shownOnly(uuid), column: 'conntrack_helpers.id', sort: true, help: 'UUID of the conntrack helper' },
    // Set by the path, never shown.
    router_id: {
      type: shownOnly(uuid),
      column: 'conntrack_helpers.router_id',
      visible: false,
      filter: false,
      help: 'its router',
    },
    project_id: project,
    tenant_id: { ...project, help: 'older name of project_id' },
    protocol: {
      type: oneOf(NAT_PROTOCOLS),
      post: true,
      put: true,
      column: 'conntrack_helpers.protocol',
      sort: true,
      help: 'IP protocol',
    },
    port: {
      type: integer({ min: 1, max: 65535 }),
      post: true,
      put: true,
      column: 'conntrack_helpers.port',
      sort: true,
      help: 'port of the service',
    },
    helper: {
      type: line(64),
      post: true,
      put: true,
      column: 'conntrack_helpers.helper',
      sort: true,
      help: 'name of the helper; allowed_conntrack_helpers lists them',
    },
  },
});
