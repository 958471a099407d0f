import type { Extension } from './attribute.ts';
import { extension } from './extensions.ts';

export const MULTIHOMING = 'external-gateway-multihoming';

/** The extensions of routers. */
export const ROUTER_EXTENSIONS: readonly Extension[] = [
  extension(
    'router',
    'Neutron L3 Router',
    '2012-07-20T10:00:00-00:00',
    'Routers between the networks of a project, and to external networks by NAT.',
  ),
  extension(
    'ext-gw-mode',
    'Neutron L3 Configurable external gateway mode',
    '2013-03-28T10:00:00-00:00',
    'Whether the external gateway of a router translates source addresses.',
  ),
  extension(
    'qos-gateway-ip',
    'Router gateway IP QoS',
    '2018-02-24T00:00:00-00:00',
    'The QoS policy of the gateway addresses of routers.',
  ),
  extension('dvr', 'Distributed Virtual Router', '2014-06-1T10:00:00-00:00', 'Distributed routers.'),
  extension('l3-ha', 'HA Router extension', '2014-04-26T00:00:00-00:00', 'Highly available routers.'),
  extension('l3-flavors', 'Router Flavor Extension', '2016-05-17T00:00:00-00:00', 'Flavors of routers.'),
  extension(
    'router_availability_zone',
    'Router Availability Zone',
    '2015-01-01T10:00:00-00:00',
    'Availability zones of routers.',
  ),
  extension(
    'router-admin-state-down-before-update',
    "Enforce Router's Admin State Down Before Update Extension",
    '2019-07-02T15:56:00',
    'A router must be down (admin_state_up) before its attribute distributed can change.',
  ),
  extension(
    'l3-port-ip-change-not-allowed',
    'Prevent L3 router ports IP address change extension',
    '2018-10-09T10:00:00-00:00',
    'The IPv4 addresses of the interfaces of routers do not change.',
  ),
  extension('extraroute', 'Neutron Extra Route', '2013-02-01T10:00:00-00:00', 'Extra routes of routers.'),
  extension(
    'extraroute-atomic',
    'Atomically add/remove extra routes',
    '2019-07-10T00:00:00+00:00',
    'Extra routes of a router are added and removed on the server.',
  ),
  extension(
    'l3-ext-ndp-proxy',
    'Router support to enable NDP proxy',
    '2020-08-25T00:00:00-00:00',
    'Whether a router may announce internal IPv6 addresses to the external network.',
  ),
  extension(
    'expose-l3-conntrack-helper',
    'Expose CT target rules for conntrack helper',
    '2019-04-04T10:00:00-00:00',
    'Conntrack helpers in the document of their router.',
  ),
  extension(
    MULTIHOMING,
    'Neutron L3 External gateway multihoming',
    '2023-01-18T00:00:00-00:00',
    'Several external gateways of a router.',
  ),
  extension('l3_agent_scheduler', 'L3 Agent Scheduler', '2013-02-07T10:00:00-00:00', 'Which L3 agents serve a router.'),
];
