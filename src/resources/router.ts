import { ROUTER_AGENT_ACTIONS } from './agent-routers.ts';
import { type Action, resource } from './attribute.ts';
import type { ConntrackHelperSummary } from './conntrack-helper.ts';
import { MULTIHOMING, ROUTER_EXTENSIONS } from './router-extensions.ts';
import { gatewayInfo, gatewayList, interfaceInfo, routerBody } from './router-types.ts';
import { identity, standardAttributes, tags } from './standard.ts';
import { hostRoutes } from './subnet-types.ts';
import { boolean, line, listOf, nullable, readOnly, shownOnly, text, zoneHints } from './types.ts';

const interfaceAnswer = {
  type: 'object',
  required: ['id', 'tenant_id', 'port_id', 'network_id', 'subnet_id', 'subnet_ids'],
  properties: {
    id: { type: 'string' },
    tenant_id: { type: 'string' },
    port_id: { type: 'string' },
    network_id: { type: 'string' },
    subnet_id: { type: 'string' },
    subnet_ids: { type: 'array', items: { type: 'string' } },
  },
} as const;

const document = {
  method: 'put',
  answer: { type: 'object', required: ['router'], properties: { router: { $ref: '#/components/schemas/Router' } } },
  answersDocument: true,
} as const;

const routes = {
  ...document,
  body: routerBody('routes', hostRoutes),
  sets: 'routes',
  extension: 'extraroute-atomic',
} as const;

const gateways = {
  ...document,
  body: routerBody('external_gateways', gatewayList),
  sets: 'external_gateways',
  extension: MULTIHOMING,
} as const;

const ACTIONS = {
  add_router_interface: {
    method: 'put',
    body: interfaceInfo(false),
    answer: interfaceAnswer,
    help: 'attach a subnet, or a port, to the router',
  },
  remove_router_interface: {
    method: 'put',
    body: interfaceInfo(true),
    answer: interfaceAnswer,
    help: 'detach a subnet, or a port, from the router',
  },
  add_extraroutes: { ...routes, help: 'add extra routes' },
  remove_extraroutes: { ...routes, help: 'remove extra routes' },
  add_external_gateways: { ...gateways, help: 'add external gateways' },
  update_external_gateways: { ...gateways, help: 'change the external gateways on the networks in the request' },
  remove_external_gateways: { ...gateways, help: 'remove external gateways' },
  ...ROUTER_AGENT_ACTIONS,
} as const satisfies Readonly<Record<string, Action>>;

/** Rules for the keys of a gateway: addresses and SNAT are the operator's. */
const gatewayParts = {
  network_id: { create: 'owner', update: 'owner' },
  enable_snat: { create: 'admin', update: 'admin' },
  external_fixed_ips: { create: 'admin', update: 'admin' },
} as const;

/** Routers (API reference: Networking v2.0, Routers). */
export const ROUTER = resource({
  name: 'router',
  plural: 'routers',
  path: 'routers',
  table: 'routers',
  sides: {
    router_extra_attributes: { key: 'router_id', always: true },
    router_ndp_proxy_state: { key: 'router_id' },
  },
  standardAttributes: 'routers',
  tagged: true,
  quota: true,
  methods: ['create', 'list', 'show', 'update', 'delete'],
  actions: ACTIONS,
  extension: 'router',
  brings: ROUTER_EXTENSIONS,
  help: 'forwards packets between subnets, and to external networks',
  attributes: {
    ...identity('routers'),
    admin_state_up: {
      type: boolean,
      post: true,
      put: true,
      default: true,
      column: 'routers.admin_state_up',
      sort: true,
      help: 'administrative state',
    },
    status: {
      type: readOnly<string>({ type: 'string' }),
      column: 'routers.status',
      filter: false,
      sort: true,
      help: 'ACTIVE or ERROR',
    },
    external_gateway_info: {
      type: gatewayInfo,
      post: true,
      put: true,
      default: null,
      policy: { create: 'owner', update: 'owner' },
      parts: gatewayParts,
      help: 'external gateway: its network, whether it translates source addresses, and its addresses; null or {}: none',
    },
    routes: { type: hostRoutes, put: true, extension: 'extraroute', help: 'extra routes' },
    distributed: {
      type: boolean,
      post: true,
      put: true,
      optional: true,
      column: 'router_extra_attributes.distributed',
      filter: false,
      policy: { create: 'admin', update: 'admin', show: 'admin' },
      extension: 'dvr',
      help: 'runs on every host that needs it; default: router_distributed',
    },
    ha: {
      type: boolean,
      post: true,
      put: true,
      optional: true,
      column: 'router_extra_attributes.ha',
      filter: false,
      policy: { create: 'admin', update: 'admin', show: 'admin' },
      extension: 'l3-ha',
      help: 'runs on several hosts, one of which is active; default: l3_ha',
    },
    availability_zone_hints: {
      type: zoneHints,
      post: true,
      default: [],
      column: 'router_extra_attributes.availability_zone_hints',
      filter: false,
      extension: 'router_availability_zone',
      help: 'availability zones from which its agents are scheduled',
    },
    availability_zones: {
      type: shownOnly(listOf(text(255))),
      extension: 'router_availability_zone',
      help: 'availability zones of the agents that serve it',
    },
    flavor_id: {
      type: nullable(line(36)),
      post: true,
      default: null,
      column: 'routers.flavor_id',
      filter: false,
      sort: true,
      extension: 'l3-flavors',
      help: 'service flavor',
    },
    enable_ndp_proxy: {
      type: nullable(boolean),
      post: true,
      put: true,
      optional: true,
      column: 'router_ndp_proxy_state.enable_ndp_proxy',
      absent: null,
      visible: 'sometimes',
      extension: 'l3-ext-ndp-proxy',
      help: 'NDP proxies can be created; shown once it has been set',
    },
    conntrack_helpers: {
      type: readOnly<readonly ConntrackHelperSummary[]>({
        type: 'array',
        items: {
          type: 'object',
          properties: { protocol: { type: 'string' }, port: { type: 'integer' }, helper: { type: 'string' } },
        },
      }),
      extension: 'expose-l3-conntrack-helper',
      help: 'its conntrack helpers',
    },
    external_gateways: {
      type: gatewayList,
      post: true,
      put: true,
      optional: true,
      visible: 'sometimes',
      policy: { create: 'owner', update: 'owner' },
      parts: gatewayParts,
      extension: MULTIHOMING,
      help: 'all external gateways; shown once the router has been managed with it',
    },
    enable_default_route_ecmp: {
      type: nullable(boolean),
      post: true,
      put: true,
      optional: true,
      column: 'router_extra_attributes.enable_default_route_ecmp',
      filter: false,
      visible: 'sometimes',
      policy: { create: 'admin', update: 'admin' },
      extension: MULTIHOMING,
      help: 'default routes of several gateways share the traffic; shown with external_gateways',
    },
    enable_default_route_bfd: {
      type: nullable(boolean),
      post: true,
      put: true,
      optional: true,
      column: 'router_extra_attributes.enable_default_route_bfd',
      filter: false,
      visible: 'sometimes',
      policy: { create: 'admin', update: 'admin' },
      extension: MULTIHOMING,
      help: 'default routes are monitored by BFD; shown with external_gateways',
    },
    ...standardAttributes,
    ...tags,
  },
});
