import { OVSDB_ADDRESS } from '../net/patterns.ts';
import { flag, integer, text } from './option.ts';

/** Options of [DEFAULT] for Open vSwitch, as in Neutron's dhcp_agent.ini. */
export const OVS_DEFAULT = {
  ovs_use_veth: flag(
    false,
    "interface_driver = openvswitch: plug veth pairs instead of the bridge's internal ports, for kernels where those cannot be " +
      'moved into namespaces',
  ),
};

/** Options of [ovs], as in Neutron's openvswitch_agent.ini. */
export const OVS = {
  integration_bridge: text(
    'br-int',
    'interface_driver = openvswitch: bridge that the Open vSwitch agent of this host manages',
    { pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/, hint: 'the name of a bridge, at most 15 characters' },
    { formerly: ['ovs_integration_bridge'] },
  ),
  ovsdb_connection: text(
    'unix:/run/openvswitch/db.sock',
    "where this host's ovsdb-server listens (Neutron's default, tcp:127.0.0.1:6640, needs `ovs-vsctl set-manager`)",
    { pattern: OVSDB_ADDRESS, hint: 'unix:/PATH or tcp:ADDRESS:PORT' },
  ),
  ovsdb_timeout: integer(10, 'seconds for a request to ovsdb-server, and for ovs-vswitchd to carry it out', 1, 3600),
};
