import type { Action, AttributeType } from './attribute.ts';
import { resource } from './attribute.ts';
import { invalidAttribute, neutronError, shown } from './errors.ts';
import { extension } from './extensions.ts';
import { identity } from './standard.ts';
import { boolean, line, listOf, nullable, readOnly, requireObject, shownAs, shownOnly, text, uuid } from './types.ts';

/** Service flavors (API reference: Networking v2.0, Networking Flavors Framework). They belong to no project. */

const { tenant_id, project_id } = identity('flavors');
/** Accepted, because clients send it, but neither stored nor shown. */
const project = { type: tenant_id.type, post: true, optional: true, visible: false, help: 'ignored' } as const;

/** null is stored as an empty text. */
const description = {
  type: shownAs(nullable(text(1024)), text(1024)),
  post: true,
  put: true,
  default: '',
  sort: true,
  help: 'free text',
} as const;

const id = { type: shownOnly(uuid), sort: true, help: 'UUID' } as const;

const enabled = {
  type: boolean,
  post: true,
  put: true,
  default: true,
  sort: true,
  help: 'it can be used by new routers',
} as const;

/** The service types of Neutron's plugins that this server includes; only routers have providers. */
const SERVICE_TYPES: readonly string[] = ['L3_ROUTER_NAT', 'CORE', 'FLAVORS', 'METERING', 'QOS'];

/** A type of service. */
const serviceType: AttributeType<string> = {
  schema: { type: 'string', enum: SERVICE_TYPES },
  parse(value) {
    if (typeof value !== 'string' || !SERVICE_TYPES.includes(value))
      throw neutronError('InvalidServiceType', { type: shown(value) });
    return value;
  },
  filter: (value) => value,
};

/** A body `{"service_profile": {"id": "..."}}`. */
const profileBody: AttributeType<string> = {
  schema: {
    type: 'object',
    required: ['service_profile'],
    properties: { service_profile: { type: 'object', required: ['id'], properties: { id: uuid.schema } } },
  },
  parse(body) {
    const given = requireObject(requireObject(body, 'body').service_profile, 'service_profile');
    const unknown = Object.keys(given).filter((key) => !['id', 'tenant_id', 'project_id'].includes(key));
    if (unknown.length > 0)
      throw neutronError('HTTPBadRequest', { reason: `Unrecognized attribute(s) '${shown(unknown.join(', '))}'` });
    if (given.id === undefined) throw invalidAttribute('service_profile', "Expected key 'id' is missing");
    return uuid.parse(given.id, 'id');
  },
};

const profileSchema = { type: 'object', required: ['id'], properties: { id: uuid.schema } } as const;

const ACTIONS = {
  list_service_profiles: {
    method: 'get',
    path: 'service_profiles',
    answer: { type: 'object', properties: { service_profiles: { type: 'array', items: profileSchema } } },
    policyName: 'get_flavor_service_profile',
    policy: 'publicReader',
    help: 'list the service profiles of the flavor',
  },
  add_service_profile: {
    method: 'post',
    path: 'service_profiles',
    body: profileBody,
    answer: { type: 'object', properties: { service_profile: profileSchema } },
    status: 201,
    policyName: 'create_flavor_service_profile',
    policy: 'admin',
    help: 'associate a service profile with the flavor',
  },
  remove_service_profile: {
    method: 'delete',
    path: 'service_profiles/{profile_id}',
    policyName: 'delete_flavor_service_profile',
    policy: 'admin',
    help: 'disassociate a service profile from the flavor',
  },
} as const satisfies Readonly<Record<string, Action>>;

/** Flavors. */
export const FLAVOR = resource({
  name: 'flavor',
  plural: 'flavors',
  path: 'flavors',
  table: 'flavors',
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'publicReader', create: 'admin', update: 'admin', delete: 'admin' },
  actions: ACTIONS,
  extension: 'flavors',
  brings: [
    extension('flavors', 'Neutron Service Flavors', '2015-09-17T10:00:00-00:00', 'Flavors of advanced services.'),
  ],
  help: 'a kind of service that operators offer',
  attributes: {
    id: { ...id, column: 'flavors.id' },
    name: { ...identity('flavors').name },
    description: { ...description, column: 'flavors.description' },
    service_type: {
      type: serviceType,
      post: true,
      column: 'flavors.service_type',
      sort: true,
      help: 'the service, such as L3_ROUTER_NAT, for routers',
    },
    service_profiles: {
      type: listOf(uuid, { max: 100, unique: true }),
      post: true,
      put: true,
      default: [],
      help: 'ids',
    },
    enabled: { ...enabled, column: 'flavors.enabled' },
    tenant_id: project,
    project_id: { ...project, extension: project_id.extension },
  },
});

/** Service profiles: how a flavor is provided. */
export const SERVICE_PROFILE = resource({
  name: 'service_profile',
  plural: 'service_profiles',
  path: 'service_profiles',
  table: 'serviceprofiles',
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'admin', create: 'admin', update: 'admin', delete: 'admin' },
  extension: 'flavors',
  help: 'a provider of a service, with its settings',
  attributes: {
    id: { ...id, column: 'serviceprofiles.id' },
    description: { ...description, column: 'serviceprofiles.description' },
    driver: {
      type: line(1024),
      post: true,
      put: true,
      default: '',
      column: 'serviceprofiles.driver',
      sort: true,
      help: 'driver of a service provider',
    },
    metainfo: {
      type: text(4096),
      post: true,
      put: true,
      default: '',
      column: 'serviceprofiles.metainfo',
      filter: false,
      sort: true,
      help: 'settings for the driver; it or the driver is required',
    },
    enabled: { ...enabled, column: 'serviceprofiles.enabled' },
    tenant_id: project,
    project_id: { ...project, extension: project_id.extension },
  },
});

/** Service providers (API reference: Networking v2.0, Service providers). Read-only. */
export const SERVICE_PROVIDER = resource({
  name: 'service_provider',
  plural: 'service_providers',
  path: 'service-providers',
  key: 'name',
  table: 'service_providers',
  methods: ['list'],
  policy: { show: 'publicReader' },
  extension: 'service-type',
  brings: [
    extension(
      'service-type',
      'Neutron Service Type Management',
      '2013-01-20T00:00:00-00:00',
      'The kinds of routers that can be made.',
    ),
  ],
  help: 'a kind of router that the agents can provide',
  attributes: {
    service_type: { type: readOnly<string>({ type: 'string' }), help: 'the service: L3_ROUTER_NAT' },
    name: { type: readOnly<string>({ type: 'string' }), column: 'service_providers.id', help: 'name' },
    default: { type: shownOnly(boolean), help: 'used for routers without a flavor' },
  },
});
