import { resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { standardAttributes } from './standard.ts';
import { integer, line, nullable, shownOnly, uuid } from './types.ts';

/** Segments of networks (API reference: Networking v2.0, Segments). */
export const SEGMENT = resource({
  name: 'segment',
  plural: 'segments',
  path: 'segments',
  table: 'networksegments',
  standardAttributes: 'networksegments',
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'admin', create: 'admin', update: 'admin', delete: 'admin' },
  extension: 'segment',
  brings: [
    extension('segment', 'Segment', '2016-02-24T17:00:00-00:00', 'Segments of networks as resources.'),
    extension(
      'standard-attr-segment',
      'Standard Attribute Segment Extension',
      '2018-04-09T10:00:00-00:00',
      'Times and revisions of segments.',
    ),
  ],
  help: 'an isolated layer 2 segment that carries a network',
  attributes: {
    id: { type: shownOnly(uuid), column: 'networksegments.id', sort: true, help: 'UUID of the segment' },
    network_id: { type: uuid, post: true, column: 'networksegments.network_id', sort: true, help: 'its network' },
    network_type: {
      type: line(32),
      post: true,
      column: 'networksegments.network_type',
      sort: true,
      help: 'local, flat, vlan or vxlan',
    },
    physical_network: {
      type: nullable(line(64)),
      post: true,
      default: null,
      column: 'networksegments.physical_network',
      sort: true,
      help: 'physical network of flat and VLAN segments',
    },
    segmentation_id: {
      type: nullable(integer()),
      post: true,
      default: null,
      column: 'networksegments.segmentation_id',
      sort: true,
      help: 'VLAN id or VXLAN id; default: a free one',
    },
    name: {
      type: nullable(line(255)),
      post: true,
      put: true,
      default: null,
      column: 'networksegments.name',
      sort: true,
      help: 'name; does not have to be unique',
    },
    ...standardAttributes,
  },
});
