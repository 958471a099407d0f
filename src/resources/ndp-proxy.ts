import { resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { identity, standardAttributes } from './standard.ts';
import { ipAddress, nullable, uuid } from './types.ts';

/** NDP proxies (API reference: Networking v2.0, Router NDP proxy). */
export const NDP_PROXY = resource({
  name: 'ndp_proxy',
  notFound: 'NDPProxyNotFound',
  plural: 'ndp_proxies',
  path: 'ndp_proxies',
  table: 'ndp_proxies',
  standardAttributes: 'ndp_proxies',
  methods: ['create', 'list', 'show', 'update', 'delete'],
  extension: 'l3-ndp-proxy',
  brings: [
    extension(
      'l3-ndp-proxy',
      'L3 NDP Proxy',
      '2021-06-29T10:00:00-00:00',
      'Routers that announce internal IPv6 addresses to their external network.',
    ),
  ],
  help: 'lets a router announce an internal IPv6 address to its external network',
  attributes: {
    ...identity('ndp_proxies'),
    router_id: { type: uuid, post: true, column: 'ndp_proxies.router_id', sort: true, help: 'the router' },
    port_id: {
      type: uuid,
      post: true,
      column: 'ndp_proxies.port_id',
      sort: true,
      help: 'the internal port',
    },
    ip_address: {
      type: nullable(ipAddress),
      post: true,
      default: null,
      column: 'ndp_proxies.ip_address',
      sort: true,
      help: 'IPv6 address of the port; default: its first one that the router is connected with',
    },
    ...standardAttributes,
  },
});
