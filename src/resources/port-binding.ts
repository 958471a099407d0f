import { resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { PORT } from './port.ts';
import { dictionary, line, nullable, readOnly, shownAs, shownOnly, uuid } from './types.ts';

const { 'binding:vnic_type': vnicType } = PORT.attributes;

/** Bindings of a port to hosts (API reference: Networking v2.0, Port binding). Live migration binds a port to two hosts. */
export const PORT_BINDING = resource({
  name: 'binding',
  plural: 'bindings',
  path: 'bindings',
  key: 'host',
  notFound: 'PortBindingNotFound',
  table: 'portbindings',
  parent: { name: 'port', by: 'port_id', inPath: true },
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'bindingUser', create: 'bindingUser', update: 'bindingUser', delete: 'bindingUser' },
  actions: {
    activate: {
      method: 'put',
      answer: { $ref: '#/components/schemas/Binding' },
      policyName: 'activate_port_binding',
      policy: 'bindingUser',
      help: 'make it the active binding of its port',
    },
  },
  extension: 'binding-extended',
  brings: [
    extension(
      'binding-extended',
      'Port Bindings Extended',
      '2017-07-17T10:00:00-00:00',
      'Several bindings of a port, one of them active.',
    ),
  ],
  help: 'binds a port to a host',
  attributes: {
    // Set by the path, never shown.
    port_id: { type: shownOnly(uuid), column: 'portbindings.port_id', visible: false, help: 'its port' },
    host: { type: line(255), post: true, column: 'portbindings.host', sort: true, help: 'host' },
    vnic_type: {
      type: vnicType.type,
      post: true,
      put: true,
      default: 'normal',
      column: 'portbindings.vnic_type',
      help: 'type of the virtual NIC',
    },
    profile: {
      type: shownAs(nullable(dictionary(4095)), dictionary(4095)),
      post: true,
      put: true,
      optional: true,
      column: 'portbindings.profile',
      filter: false,
      help: 'host-specific information about the binding, set by nova',
    },
    vif_type: {
      type: readOnly<string>({ type: 'string' }),
      column: 'portbindings.vif_type',
      help: 'how the device is plugged, such as bridge or unbound',
    },
    vif_details: {
      type: shownOnly(dictionary(4095)),
      column: 'portbindings.vif_details',
      filter: false,
      help: 'details of the VIF type',
    },
    status: {
      type: readOnly<string>({ type: 'string' }),
      column: 'portbindings.status',
      help: 'ACTIVE or INACTIVE',
    },
  },
});
