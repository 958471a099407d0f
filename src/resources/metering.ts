import { resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { identity } from './standard.ts';
import { boolean, cidr, line, nullable, oneOf, shownOnly, text, uuid } from './types.ts';

const { id, name, tenant_id, project_id } = identity('meteringlabels');

/** Metering labels (API reference: Networking v2.0, Metering labels and rules). */
export const METERING_LABEL = resource({
  name: 'metering_label',
  plural: 'metering_labels',
  path: 'metering/metering-labels',
  table: 'meteringlabels',
  methods: ['create', 'list', 'show', 'delete'],
  policy: { show: 'meteringReader', create: 'manager', delete: 'manager' },
  extension: 'metering',
  brings: [
    extension('metering', 'Neutron Metering', '2013-06-12T10:00:00-00:00', 'Labels for the traffic of routers.'),
    extension(
      'metering_source_and_destination_fields',
      'Neutron Metering with source and destination filtering',
      '2020-08-21T08:12:00-00:00',
      'Source and destination prefixes of metering label rules.',
    ),
  ],
  help: 'names traffic of the routers of a project that is counted together',
  attributes: {
    id,
    name: { ...name, put: false },
    description: {
      type: text(1024),
      post: true,
      default: '',
      column: 'meteringlabels.description',
      sort: true,
      help: 'free text',
    },
    tenant_id,
    project_id,
    shared: {
      type: boolean,
      post: true,
      default: false,
      column: 'meteringlabels.shared',
      sort: true,
      policy: { create: 'admin' },
      help: 'whether it counts the traffic of the routers of all projects',
    },
  },
});

const prefix = <const C extends string>(column: C, help: string) =>
  ({
    type: nullable(cidr),
    post: true,
    default: null,
    column: `meteringlabelrules.${column}`,
    sort: true,
    help,
  }) as const;

export const METERING_LABEL_RULE = resource({
  name: 'metering_label_rule',
  plural: 'metering_label_rules',
  path: 'metering/metering-label-rules',
  table: 'meteringlabelrules',
  methods: ['create', 'list', 'show', 'delete'],
  policy: { show: 'admin', create: 'admin', delete: 'admin' },
  extension: 'metering',
  help: 'traffic that a metering label counts or excludes',
  attributes: {
    id: { type: shownOnly(uuid), column: 'meteringlabelrules.id', sort: true, help: 'UUID of the rule' },
    metering_label_id: {
      type: uuid,
      post: true,
      column: 'meteringlabelrules.metering_label_id',
      sort: true,
      help: 'its label',
    },
    direction: {
      type: oneOf(['ingress', 'egress']),
      post: true,
      column: 'meteringlabelrules.direction',
      sort: true,
      help: 'direction of the traffic',
    },
    excluded: {
      type: boolean,
      post: true,
      default: false,
      column: 'meteringlabelrules.excluded',
      sort: true,
      help: 'whether the traffic is not counted',
    },
    remote_ip_prefix: prefix('remote_ip_prefix', 'prefix of the remote side'),
    source_ip_prefix: {
      ...prefix('source_ip_prefix', 'prefix of the source'),
      extension: 'metering_source_and_destination_fields',
    },
    destination_ip_prefix: {
      ...prefix('destination_ip_prefix', 'prefix of the destination'),
      extension: 'metering_source_and_destination_fields',
    },
    // Accepted as in Neutron; the label's project owns the rule.
    tenant_id: { type: line(255), post: true, optional: true, visible: false, help: 'ignored' },
  },
});
