import { type AttributeType, resource } from './attribute.ts';
import { invalidAttribute, shown } from './errors.ts';
import { extension } from './extensions.ts';
import { NAT_PROTOCOLS, type NatProtocol } from './nat-protocols.ts';
import { standardAttributes } from './standard.ts';
import { integer, ipAddress, line, nullable, oneOf, shownOnly, uuid } from './types.ts';

/** A port forwarding, in the document of its floating IP. */
export interface PortForwardingSummary {
  readonly id: string;
  readonly protocol: NatProtocol;
  readonly external_port?: number;
  readonly internal_port?: number;
  readonly internal_ip_address: string;
  readonly internal_port_id: string;
}

const MAX_PORT = 65535;
const portNumber = nullable(integer({ min: 1, max: MAX_PORT }));

/** A port or a range `first:last`, as text. */
const portRange: AttributeType<string> = {
  schema: { type: 'string', pattern: '^\\d{1,5}(:\\d{1,5})?$' },
  parse(value, attribute) {
    const given = typeof value === 'number' ? String(value) : value;
    if (typeof given !== 'string' || !/^\d{1,5}(:\d{1,5})?$/.test(given))
      throw invalidAttribute(attribute, `'${shown(value)}' is neither a port nor two ports separated by a colon`);
    const [first = 0, last = first] = given.split(':').map(Number);
    for (const port of [first, last])
      if (port < 1 || port > MAX_PORT) throw invalidAttribute(attribute, `${port} is not a port from 1 to ${MAX_PORT}`);
    if (first > last) throw invalidAttribute(attribute, 'the range ends before it starts');
    return given;
  },
};

const RANGES = 'floating-ip-port-forwarding-port-ranges';

/** Port forwardings of a floating IP (API reference: Networking v2.0, Floating IPs port forwarding). */
export const PORT_FORWARDING = resource({
  name: 'port_forwarding',
  plural: 'port_forwardings',
  path: 'port_forwardings',
  table: 'portforwardings',
  standardAttributes: 'portforwardings',
  parent: { name: 'floatingip', by: 'floatingip_id', inPath: true },
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'parentReader', create: 'parentOwner', update: 'parentOwner', delete: 'parentOwner' },
  extension: 'floating-ip-port-forwarding',
  brings: [
    extension(
      'floating-ip-port-forwarding',
      'Floating IP Port Forwarding',
      '2018-01-19T10:00:00-00:00',
      'Ports of a floating IP that are forwarded to internal ports.',
    ),
    extension(
      'floating-ip-port-forwarding-description',
      'Floating IP Port Forwarding new attribute description',
      '2019-11-01T10:00:00-00:00',
      'Descriptions of port forwardings.',
    ),
    extension(
      'floating-ip-port-forwarding-detail',
      'Floating IP port forwarding detail',
      '2022-05-06T10:00:00-00:00',
      'id and internal_port_id of port forwardings in the document of their floating IP.',
    ),
    extension(
      RANGES,
      'Floating IP Port Forwarding support port ranges',
      '2020-07-01T10:00:00-00:00',
      'Ranges of ports.',
    ),
  ],
  help: 'forwards ports of a floating IP to a fixed IP of an internal port',
  attributes: {
    id: { type: shownOnly(uuid), column: 'portforwardings.id', sort: true, help: 'UUID of the port forwarding' },
    // Set by the path, never shown.
    floatingip_id: {
      type: shownOnly(uuid),
      column: 'portforwardings.floatingip_id',
      visible: false,
      filter: false,
      help: 'its floating IP',
    },
    project_id: {
      type: line(255),
      post: true,
      optional: true,
      visible: false,
      help: 'accepted; it belongs to the project of its floating IP',
    },
    tenant_id: {
      type: line(255),
      post: true,
      optional: true,
      visible: false,
      help: 'older name of project_id',
    },
    protocol: {
      type: oneOf(NAT_PROTOCOLS),
      post: true,
      put: true,
      column: 'portforwardings.protocol',
      sort: true,
      help: 'IP protocol',
    },
    external_port: {
      type: portNumber,
      post: true,
      put: true,
      default: null,
      column: 'portforwardings.external_port_start',
      sort: true,
      help: 'port of the floating IP; null if it is a range',
    },
    external_port_end: {
      type: shownOnly(integer()),
      column: 'portforwardings.external_port_end',
      visible: false,
      filter: false,
      help: 'last port of the floating IP',
    },
    internal_port: {
      type: portNumber,
      post: true,
      put: true,
      default: null,
      column: 'portforwardings.internal_port_start',
      filter: false,
      help: 'port of the fixed IP; null if it is a range',
    },
    internal_port_end: {
      type: shownOnly(integer()),
      column: 'portforwardings.internal_port_end',
      visible: false,
      filter: false,
      help: 'last port of the fixed IP',
    },
    external_port_range: {
      type: nullable(portRange),
      post: true,
      put: true,
      default: null,
      extension: RANGES,
      help: 'ports of the floating IP, as first:last',
    },
    internal_port_range: {
      type: nullable(portRange),
      post: true,
      put: true,
      default: null,
      extension: RANGES,
      help: 'ports of the fixed IP: one, or as many as external ones',
    },
    internal_ip_address: {
      type: ipAddress,
      post: true,
      put: true,
      column: 'portforwardings.internal_ip_address',
      filter: false,
      help: 'IPv4 fixed IP of the internal port',
    },
    internal_port_id: {
      type: uuid,
      post: true,
      put: true,
      column: 'portforwardings.internal_neutron_port_id',
      sort: true,
      help: 'the internal port',
    },
    description: {
      ...standardAttributes.description,
      sort: false,
      extension: 'floating-ip-port-forwarding-description',
    },
  },
});
