import type { Generated } from 'kysely';

/**
 * The tables, with Neutron's names and columns where Neutron has the table. Booleans are 0 and 1, times are UTC
 * as `YYYY-MM-DD HH:MM:SS` in both dialects. Comments explain columns and tables that Neutrino adds.
 */

/** 0 or 1 as stored; `true` and `false` may be written. */
type Flag = number;

interface StandardAttributes {
  id: Generated<number>;
  resource_type: string;
  description: string;
  revision_number: number;
  created_at: string;
  updated_at: string;
}

interface Networks {
  id: string;
  project_id: string;
  name: string;
  status: string;
  admin_state_up: Flag;
  mtu: number;
  /** JSON list. */
  availability_zone_hints: string;
  standard_attr_id: number;
}

interface NetworkSegments {
  id: string;
  network_id: string;
  name: string | null;
  network_type: string;
  physical_network: string | null;
  segmentation_id: number | null;
  segment_index: number;
  is_dynamic: Flag;
  standard_attr_id: number;
}

/** Hosts whose L2 agents reach a segment. */
interface SegmentHostMappings {
  segment_id: string;
  host: string;
}

/** Access of projects to networks; target_project `*` with `access_as_shared` is a shared network. */
interface NetworkRbacs {
  id: string;
  object_id: string;
  project_id: string;
  target_project: string;
  action: string;
}

interface ExternalNetworks {
  network_id: string;
  is_default: Flag;
}

/** Neutrino's own: the default external network, in the only row (`slot` 1). */
interface DefaultExternalNetwork {
  slot: number;
  network_id: string;
}

interface NetworkSecurityBindings {
  network_id: string;
  port_security_enabled: Flag;
}

interface NetworkDnsDomains {
  network_id: string;
  dns_domain: string;
}

interface Subnets {
  id: string;
  project_id: string;
  name: string;
  network_id: string;
  ip_version: number;
  cidr: string;
  gateway_ip: string | null;
  enable_dhcp: Flag;
  ipv6_ra_mode: string | null;
  ipv6_address_mode: string | null;
  subnetpool_id: string | null;
  segment_id: string | null;
  standard_attr_id: number;
}

interface IpAllocationPools {
  id: string;
  subnet_id: string;
  first_ip: string;
  last_ip: string;
}

interface DnsNameservers {
  subnet_id: string;
  address: string;
  order: number;
}

interface SubnetRoutes {
  subnet_id: string;
  destination: string;
  nexthop: string;
}

interface SubnetServiceTypes {
  subnet_id: string;
  service_type: string;
}

interface Ports {
  id: string;
  project_id: string;
  name: string;
  network_id: string;
  mac_address: string;
  admin_state_up: Flag;
  status: string;
  device_id: string;
  device_owner: string;
  ip_allocation: string;
  standard_attr_id: number;
}

/** The fixed IPs. Primary key (subnet_id, address_key): an address belongs to one port of its subnet. */
interface IpAllocations {
  port_id: string;
  subnet_id: string;
  network_id: string;
  ip_address: string;
  /** Neutrino's own: the address as fixed-width hex, so that gaps are found in order. */
  address_key: string;
}

interface Ml2PortBindings {
  port_id: string;
  host: string;
  vif_type: string;
  vnic_type: string;
  /** JSON object. */
  profile: string;
  /** JSON object. */
  vif_details: string;
  status: string;
}

export interface Ml2PortBindingLevels {
  port_id: string;
  host: string;
  level: number;
  driver: string;
  segment_id: string;
}

interface PortSecurityBindings {
  port_id: string;
  port_security_enabled: Flag;
}

interface SecurityGroups {
  id: string;
  project_id: string;
  name: string;
  stateful: Flag;
  standard_attr_id: number;
}

interface DefaultSecurityGroup {
  project_id: string;
  security_group_id: string;
}

interface SecurityGroupPortBindings {
  port_id: string;
  security_group_id: string;
}

export interface SecurityGroupRules {
  id: string;
  project_id: string;
  security_group_id: string;
  direction: string;
  ethertype: string;
  /** A name or a number. */
  protocol: string | null;
  port_range_min: number | null;
  port_range_max: number | null;
  remote_ip_prefix: string | null;
  remote_group_id: string | null;
  remote_address_group_id: string | null;
  /** Neutrino's own: `remote_ip_prefix` with host bits cleared, for filters. */
  normalized_cidr: string | null;
  /** Neutrino's own place for it: null in rules that come with a new group. */
  description: string | null;
  /** Neutrino's own: what the rule matches, equal for rules that match the same. Unique in a group. */
  rule_key: string;
  standard_attr_id: number;
}

/** The rules that new security groups start with. */
interface SecurityGroupDefaultRules {
  id: string;
  direction: string;
  ethertype: string;
  protocol: string | null;
  port_range_min: number | null;
  port_range_max: number | null;
  remote_ip_prefix: string | null;
  /** Id of a security group, or `PARENT`: the group that starts with the rule. */
  remote_group_id: string | null;
  remote_address_group_id: string | null;
  used_in_default_sg: Flag;
  used_in_non_default_sg: Flag;
  /** Neutrino's own: `rule_key` if it is used in default groups. Unique. */
  default_key: string | null;
  /** Neutrino's own: `rule_key` if it is used in other groups. Unique. */
  non_default_key: string | null;
  standard_attr_id: number;
}

interface AddressGroups {
  id: string;
  project_id: string;
  name: string;
  standard_attr_id: number;
}

interface AddressAssociations {
  address: string;
  address_group_id: string;
}

interface AllowedAddressPairs {
  port_id: string;
  mac_address: string;
  ip_address: string;
}

export interface ExtraDhcpOpts {
  id: string;
  port_id: string;
  opt_name: string;
  opt_value: string;
  ip_version: number;
}

interface PortDnses {
  port_id: string;
  dns_name: string;
  dns_domain: string;
}

interface PortDeviceProfiles {
  port_id: string;
  device_profile: string;
}

interface PortNumaAffinityPolicies {
  port_id: string;
  numa_affinity_policy: string;
}

interface PortUplinkStatusPropagation {
  port_id: string;
  propagate_uplink_status: Flag;
}

interface AddressScopes {
  id: string;
  project_id: string;
  name: string;
  ip_version: number;
}

interface SubnetPools {
  id: string;
  project_id: string;
  name: string;
  ip_version: number;
  default_prefixlen: number;
  min_prefixlen: number;
  max_prefixlen: number;
  is_default: Flag;
  default_quota: number | null;
  address_scope_id: string | null;
  standard_attr_id: number;
}

interface SubnetPoolPrefixes {
  subnetpool_id: string;
  cidr: string;
}

/** Neutrino's own: the prefixes of a pool that no subnet has, the fewest possible (`ipam/free-prefixes.ts`). */
interface SubnetPoolFreePrefixes {
  subnetpool_id: string;
  /** The first address as fixed-width hex. */
  first_key: string;
  prefixlen: number;
}

/** Neutrino's own: its primary key allows one default pool for each IP version. */
interface DefaultSubnetPools {
  ip_version: number;
  subnetpool_id: string;
}

/** Limits of single projects; the others have those of `[quotas]`. */
interface Quotas {
  id: string;
  project_id: string;
  resource: string;
  limit: number;
}

/** A row to lock, so that concurrent creations of a project count each other. */
interface QuotaUsages {
  project_id: string;
  resource: string;
}

interface ProvisioningBlocks {
  standard_attr_id: number;
  /** What the port waits for before it is ACTIVE: `L2` or `DHCP`. */
  entity: string;
}

interface Tags {
  standard_attr_id: number;
  tag: string;
}

export interface Agents {
  id: string;
  agent_type: string;
  binary: string;
  topic: string;
  host: string;
  availability_zone: string | null;
  admin_state_up: Flag;
  created_at: string;
  started_at: string;
  heartbeat_timestamp: string;
  description: string | null;
  /** JSON object. */
  configurations: string;
  /** JSON object. */
  resource_versions: string | null;
  load: number;
  resources_synced: Flag | null;
}

interface NetworkDhcpAgentBindings {
  network_id: string;
  dhcp_agent_id: string;
  binding_index: number;
}

interface Flavors {
  id: string;
  name: string;
  description: string;
  enabled: Flag;
  service_type: string;
}

interface ServiceProfiles {
  id: string;
  description: string;
  driver: string;
  enabled: Flag;
  metainfo: string;
}

interface FlavorServiceProfileBindings {
  service_profile_id: string;
  flavor_id: string;
}

interface Routers {
  id: string;
  project_id: string;
  name: string;
  status: string;
  admin_state_up: Flag;
  /** Its first gateway port; the others are in `routerports` only. */
  gw_port_id: string | null;
  flavor_id: string | null;
  enable_snat: Flag;
  standard_attr_id: number;
}

interface RouterExtraAttributes {
  router_id: string;
  distributed: Flag;
  service_router: Flag;
  ha: Flag;
  ha_vr_id: number | null;
  /** JSON list. */
  availability_zone_hints: string;
  /** null: the router is not managed with `external_gateways`. */
  enable_default_route_ecmp: Flag | null;
  enable_default_route_bfd: Flag | null;
}

interface RouterNdpProxyState {
  router_id: string;
  enable_ndp_proxy: Flag;
}

/** The ports of routers. `port_type`: the `device_owner` that the port has for the router. */
interface RouterPorts {
  router_id: string;
  port_id: string;
  port_type: string;
}

/**
 * Without a fixed port, `router_id` is that of its port forwardings. `last_known_router_id`: of the association before.
 */
interface FloatingIps {
  id: string;
  project_id: string;
  floating_ip_address: string;
  floating_network_id: string;
  floating_port_id: string;
  fixed_port_id: string | null;
  fixed_ip_address: string | null;
  router_id: string | null;
  last_known_router_id: string | null;
  status: string;
  standard_attr_id: number;
}

interface PortForwardings {
  id: string;
  floatingip_id: string;
  internal_neutron_port_id: string;
  protocol: string;
  internal_ip_address: string;
  internal_port_start: number;
  internal_port_end: number;
  external_port_start: number;
  external_port_end: number;
  standard_attr_id: number;
}

interface ConntrackHelpers {
  id: string;
  router_id: string;
  protocol: string;
  port: number;
  helper: string;
}

interface NdpProxies {
  id: string;
  project_id: string;
  name: string;
  router_id: string;
  port_id: string;
  ip_address: string;
  standard_attr_id: number;
}

interface AutoAllocatedTopologies {
  project_id: string;
  network_id: string;
  router_id: string | null;
}

interface QosFipPolicyBindings {
  policy_id: string;
  fip_id: string;
}

interface QosRouterGwPolicyBindings {
  policy_id: string;
  router_id: string;
}

interface RouterRoutes {
  router_id: string;
  destination: string;
  nexthop: string;
}

interface RouterL3AgentBindings {
  router_id: string;
  l3_agent_id: string;
  binding_index: number;
}

/** The network on which the highly available routers of a project watch each other. */
interface HaRouterNetworks {
  project_id: string;
  network_id: string;
}

/** The VRIDs (RFC 5798) in use on such a network. */
interface HaRouterVridAllocations {
  network_id: string;
  vr_id: number;
}

/** The port of a highly available router for each L3 agent that hosts it. */
interface HaRouterAgentPortBindings {
  port_id: string;
  router_id: string;
  l3_agent_id: string;
  /** `active`, `standby` or `unknown`, as the agent reported it. */
  state: string;
}

interface Ml2FlatAllocations {
  physical_network: string;
}

interface Ml2VlanAllocations {
  physical_network: string;
  vlan_id: number;
  allocated: Flag;
}

/** Contains only allocated ids (Neutron's contains the whole range). */
interface Ml2VxlanAllocations {
  vxlan_vni: number;
  allocated: Flag;
}

/** Neutrino's own: events for agents, written in the transaction of the change and deleted once they are published. */
export interface Outbox {
  id: Generated<number>;
  /** Id of the resource that the event belongs to: events with the same key are published in order. */
  ordering_key: string;
  /** Name of the event in the catalogue (`rpc/events.ts`). */
  method: string;
  /** Host of the only agent that the event is for; null: the audience from the catalogue. */
  host: string | null;
  /** JSON: the payload. */
  payload: string;
  created_at: string;
}

/** What machines are told as metadata, besides what follows from their ports. */
interface Machines {
  id: string;
  project_id: string;
  device_id: string;
  name: string;
  /** In base64. */
  user_data: string | null;
  /** OpenSSH keys by name, as JSON. */
  public_keys: string;
  password: string | null;
}

/** Events about ports that Nova has not yet been notified of, in the order of their ids. */
export interface NovaEvents {
  id: Generated<number>;
  port_id: string;
  /** Nova's id of the machine: the port's device_id. */
  server_uuid: string;
  /** `network-vif-plugged` and the like. */
  name: string;
  /** `completed`; null: Nova's default. */
  status: string | null;
  created_at: string;
}

/** Neutrino's own: notifications of changes that have not yet been sent to `[oslo_messaging_notifications] topics`. */
export interface Notifications {
  id: Generated<number>;
  /** The same whenever it is sent. */
  message_id: string;
  /** `port.create.end` and the like. */
  event_type: string;
  /** JSON: who caused it, as `_context_*` says. */
  context: string;
  /** JSON. */
  payload: string;
  /** UTC, as Python prints it: with a blank and microseconds. */
  timestamp: string;
}

/** Neutrino's own: work that only one of several servers does at a time (`work-claims.ts`). */
interface WorkClaims {
  /** Id of the network (or agent) whose events are being published, or the name of a task. */
  work: string;
  /** The server that does it: a random id from its start. */
  owner: string;
  /** Milliseconds since 1970 by the database's clock; after that, any server may claim it. */
  expires_at: number;
}

/** Neutrino's own Identity: its signing key, its revision, and which version of the file has been taken over. */
interface IdentitySettings {
  name: string;
  value: string;
  number: number;
}

/** Projects, and domains (`is_domain`), whose own `domain_id` is empty. */
export interface IdentityProjects {
  id: string;
  domain_id: string;
  parent_id: string | null;
  name: string;
  description: string;
  enabled: Flag;
  is_domain: Flag;
  /** Whether `identity.yaml` has it: it is removed once the file no longer has it. */
  from_file: Flag;
}

export interface IdentityUsers {
  id: string;
  domain_id: string;
  name: string;
  description: string;
  email: string | null;
  enabled: Flag;
  default_project_id: string | null;
  /** Null: the user cannot log in with a password. */
  password_hash: string | null;
  /** Counts changes of the password and disablements; tokens of an earlier generation are refused. */
  token_generation: number;
  from_file: Flag;
}

export interface IdentityRoles {
  id: string;
  name: string;
  description: string;
  from_file: Flag;
}

interface IdentityAssignments {
  user_id: string;
  /** `project`, `domain`, or `system` (whose `target_id` is `all`). */
  target_type: string;
  target_id: string;
  role_id: string;
  from_file: Flag;
}

export interface IdentityApplicationCredentials {
  id: string;
  user_id: string;
  project_id: string;
  name: string;
  description: string;
  secret_hash: string;
  /** JSON list: ids of the roles that it gives. */
  roles: string;
  /** Whether it may be used to make further ones. */
  unrestricted: Flag;
  /** Milliseconds since 1970; null: never. */
  expires_at: number | null;
}

interface IdentityRevocations {
  audit_id: string;
  /** Milliseconds since 1970 at which the token expires anyway; then the row may go. */
  expires_at: number;
}

interface Trunks {
  id: string;
  project_id: string;
  name: string;
  port_id: string;
  admin_state_up: Flag;
  status: string;
  standard_attr_id: number;
}

interface SubPorts {
  port_id: string;
  trunk_id: string;
  segmentation_type: string;
  segmentation_id: number;
}

interface QosPoliciesDefault {
  project_id: string;
  qos_policy_id: string;
}

interface QosPortPolicyBindings {
  policy_id: string;
  port_id: string;
}

interface QosNetworkPolicyBindings {
  policy_id: string;
  network_id: string;
}

interface MeteringLabelRules {
  id: string;
  metering_label_id: string;
  direction: string;
  remote_ip_prefix: string | null;
  source_ip_prefix: string | null;
  destination_ip_prefix: string | null;
  excluded: Flag;
}

export interface Schema {
  standardattributes: StandardAttributes;
  networks: Networks;
  networksegments: NetworkSegments;
  segmenthostmappings: SegmentHostMappings;
  networkrbacs: NetworkRbacs;
  externalnetworks: ExternalNetworks;
  defaultexternalnetwork: DefaultExternalNetwork;
  networksecuritybindings: NetworkSecurityBindings;
  networkdnsdomains: NetworkDnsDomains;
  subnets: Subnets;
  ipallocationpools: IpAllocationPools;
  dnsnameservers: DnsNameservers;
  subnetroutes: SubnetRoutes;
  subnet_service_types: SubnetServiceTypes;
  ports: Ports;
  ipallocations: IpAllocations;
  ml2_port_bindings: Ml2PortBindings;
  ml2_port_binding_levels: Ml2PortBindingLevels;
  portsecuritybindings: PortSecurityBindings;
  securitygroups: SecurityGroups;
  default_security_group: DefaultSecurityGroup;
  securitygroupportbindings: SecurityGroupPortBindings;
  securitygrouprules: SecurityGroupRules;
  securitygroupdefaultrules: SecurityGroupDefaultRules;
  address_groups: AddressGroups;
  address_associations: AddressAssociations;
  allowedaddresspairs: AllowedAddressPairs;
  extradhcpopts: ExtraDhcpOpts;
  portdnses: PortDnses;
  portdeviceprofiles: PortDeviceProfiles;
  portnumaaffinitypolicies: PortNumaAffinityPolicies;
  portuplinkstatuspropagation: PortUplinkStatusPropagation;
  addressscopes: AddressScopes;
  subnetpools: SubnetPools;
  subnetpoolprefixes: SubnetPoolPrefixes;
  subnetpoolfreeprefixes: SubnetPoolFreePrefixes;
  defaultsubnetpools: DefaultSubnetPools;
  quotas: Quotas;
  quotausages: QuotaUsages;
  trunks: Trunks;
  subports: SubPorts;
  qos_policies_default: QosPoliciesDefault;
  qos_port_policy_bindings: QosPortPolicyBindings;
  qos_network_policy_bindings: QosNetworkPolicyBindings;
  meteringlabelrules: MeteringLabelRules;
  provisioningblocks: ProvisioningBlocks;
  tags: Tags;
  agents: Agents;
  networkdhcpagentbindings: NetworkDhcpAgentBindings;
  flavors: Flavors;
  serviceprofiles: ServiceProfiles;
  flavorserviceprofilebindings: FlavorServiceProfileBindings;
  routers: Routers;
  router_extra_attributes: RouterExtraAttributes;
  router_ndp_proxy_state: RouterNdpProxyState;
  routerports: RouterPorts;
  routerroutes: RouterRoutes;
  floatingips: FloatingIps;
  portforwardings: PortForwardings;
  conntrack_helpers: ConntrackHelpers;
  ndp_proxies: NdpProxies;
  auto_allocated_topologies: AutoAllocatedTopologies;
  qos_fip_policy_bindings: QosFipPolicyBindings;
  qos_router_gw_policy_bindings: QosRouterGwPolicyBindings;
  routerl3agentbindings: RouterL3AgentBindings;
  ha_router_networks: HaRouterNetworks;
  ha_router_vrid_allocations: HaRouterVridAllocations;
  ha_router_agent_port_bindings: HaRouterAgentPortBindings;
  ml2_flat_allocations: Ml2FlatAllocations;
  ml2_vlan_allocations: Ml2VlanAllocations;
  ml2_vxlan_allocations: Ml2VxlanAllocations;
  outbox: Outbox;
  workclaims: WorkClaims;
  machines: Machines;
  novaevents: NovaEvents;
  notifications: Notifications;
  identity_settings: IdentitySettings;
  identity_projects: IdentityProjects;
  identity_users: IdentityUsers;
  identity_roles: IdentityRoles;
  identity_assignments: IdentityAssignments;
  identity_application_credentials: IdentityApplicationCredentials;
  identity_revocations: IdentityRevocations;
}
