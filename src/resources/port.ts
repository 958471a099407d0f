import { resource } from './attribute.ts';
import { dnsName } from './dns.ts';
import { addressPairs, dhcpOpts, fixedIps } from './port-types.ts';
import { identity, standardAttributes } from './standard.ts';
import { boolean, dictionary, line, listOf, macAddress, nullable, oneOf, readOnly, uuid } from './types.ts';

export const VNIC_TYPES = [
  'normal', 'direct', 'macvtap', 'baremetal', 'direct-physical', 'virtio-forwarder', 'smart-nic', 'vdpa', 'accelerator-direct', 'accelerator-direct-physical', 'remote-managed',
] as const;

/** Ports (API reference: Networking v2.0, Ports). */
export const PORT = resource({
  name: 'port',
  plural: 'ports',
  path: 'ports',
  standardAttributes: 'ports',
  methods: ['create', 'list', 'show', 'update', 'delete'],
  help: 'where a device meets a network: a MAC and its fixed IPs',
  attributes: {
    ...identity('ports'),
    network_id: { type: uuid, post: true, column: 'ports.network_id', sort: true, help: 'its network' },
    admin_state_up: { type: boolean, post: true, put: true, default: true, column: 'ports.admin_state_up', sort: true, help: 'whether it is to work' },
    mac_address: { type: nullable(macAddress), post: true, put: true, optional: true, column: 'ports.mac_address', sort: true, help: 'MAC; random under base_mac unless told' },
    fixed_ips: { type: fixedIps, post: true, put: true, optional: true, help: 'addresses; allocated unless told, none when []' },
    device_id: { type: line(255), post: true, put: true, default: '', column: 'ports.device_id', sort: true, help: 'what uses it: the id of a server' },
    device_owner: { type: line(255), post: true, put: true, default: '', column: 'ports.device_owner', sort: true, help: 'kind of user: compute:nova, network:dhcp' },
    status: { type: readOnly({ type: 'string' }), column: 'ports.status', sort: true, help: 'DOWN, BUILD, ACTIVE or ERROR' },
    security_groups: { type: listOf(uuid, { max: 100 }), post: true, put: true, optional: true, extension: 'security-group', help: 'security groups; the default group unless told' },
    port_security_enabled: { type: boolean, post: true, put: true, optional: true, extension: 'port-security', help: 'whether the port is filtered' },
    allowed_address_pairs: { type: addressPairs, post: true, put: true, default: [], extension: 'allowed-address-pairs', help: 'further addresses that it may use' },
    extra_dhcp_opts: { type: dhcpOpts, post: true, put: true, default: [], extension: 'extra_dhcp_opt', help: 'DHCP options of this port' },
    'binding:host_id': { type: nullable(line(255)), post: true, put: true, optional: true, column: 'ml2_port_bindings.host', sort: false, extension: 'binding', help: 'host that the port is bound to' },
    'binding:vnic_type': { type: oneOf(VNIC_TYPES), post: true, put: true, default: 'normal', column: 'ml2_port_bindings.vnic_type', extension: 'binding', help: 'kind of NIC' },
    'binding:profile': { type: nullable(dictionary(4095)), post: true, put: true, optional: true, extension: 'binding', help: 'what the host tells of the binding' },
    'binding:vif_type': { type: readOnly({ type: 'string' }), column: 'ml2_port_bindings.vif_type', extension: 'binding', help: 'how the device is plugged: bridge, unbound, binding_failed' },
    'binding:vif_details': { type: readOnly({ type: 'object' }), extension: 'binding', help: 'details of that' },
    dns_name: { type: dnsName, post: true, put: true, default: '', extension: 'dns-integration', help: 'host name' },
    dns_assignment: { type: readOnly({ type: 'array' }), extension: 'dns-integration', help: 'names of its addresses' },
    ip_allocation: { type: readOnly({ type: 'string' }), column: 'ports.ip_allocation', extension: 'ip_allocation', help: 'immediate, deferred or none' },
    numa_affinity_policy: { type: nullable(oneOf(['required', 'preferred', 'legacy'])), post: true, put: true, default: null, visible: false, extension: 'port-numa-affinity-policy', help: 'NUMA affinity for nova' },
    qos_policy_id: { type: nullable(uuid), post: true, put: true, default: null, extension: 'qos', help: 'QoS policy; null for now' },
    qos_network_policy_id: { type: readOnly({ type: ['string', 'null'] }), extension: 'qos-port-network-policy', help: 'QoS policy of its network' },
    resource_request: { type: readOnly({ type: ['object', 'null'] }), extension: 'port-resource-request', help: 'what placement must provide' },
    ...standardAttributes,
  },
});
