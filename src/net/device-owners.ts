/** Values of a port's `device_owner` (neutron-lib's constants): who made the port, and therefore who may take it away. */

/** The port of a DHCP agent. */
export const DHCP_OWNER = 'network:dhcp';
/** The port of the metadata service of a network without routers. */
export const DISTRIBUTED_OWNER = 'network:distributed';
/** Service type of subnets whose addresses routers announce: they are on no segment. */
export const ROUTED_OWNER = 'network:routed';
/** The port by which the agents of a highly available router talk to each other. */
export const HA_INTERFACE_OWNER = 'network:router_ha_interface';
export const FLOATING_IP_OWNER = 'network:floatingip';

/** Ports by which a router is the gateway of a subnet (Neutron's ROUTER_INTERFACE_OWNERS). */
export const ROUTER_INTERFACE_OWNERS = [
  'network:router_interface',
  'network:ha_router_replicated_interface',
  'network:router_interface_distributed',
] as const;

/** Returns the owner of the interfaces of a router. */
export function routerInterfaceOwner({ ha, distributed }: { readonly ha: boolean; readonly distributed: boolean }) {
  const [single, replicated, everywhere] = ROUTER_INTERFACE_OWNERS;
  return distributed ? everywhere : ha ? replicated : single;
}

export const ROUTER_GATEWAY_OWNER = 'network:router_gateway';
/** The port by which the agents of a highly available router watch each other. */
export const ROUTER_HA_INTERFACE_OWNER = 'network:router_ha_interface';
const ROUTER_SNAT_OWNER = 'network:router_centralized_snat';

/** Ports of a router that have addresses of a tenant's subnet (Neutron's ROUTER_INTERFACE_OWNERS_SNAT). */
export const ROUTER_SUBNET_OWNERS = [...ROUTER_INTERFACE_OWNERS, ROUTER_SNAT_OWNER] as const;

/** All ports of routers. */
const ROUTER_OWNERS = [...ROUTER_SUBNET_OWNERS, ROUTER_GATEWAY_OWNER] as const;

/** Owners of ports that are deleted with their network or subnet, because Neutron created them (its AUTO_DELETE_PORT_OWNERS). */
export const AUTOMATIC_OWNERS = [DHCP_OWNER, DISTRIBUTED_OWNER] as const;

/** Beginnings of the owners of ports that Neutron's own services made. */
const NETWORK_PREFIXES = ['network:', 'neutron:'] as const;
/** Beginning of the owners of ports of Nova's instances. */
export const COMPUTE_PREFIX = 'compute:';
/** Owner of an instance's port without an availability zone; otherwise Nova appends the zone. */
export const COMPUTE_OWNER = 'compute:nova';

/** Beginnings of known owners, as `service_types` of a subnet may name them. */
export const OWNER_PREFIXES = [...NETWORK_PREFIXES, COMPUTE_PREFIX, 'baremetal:', 'trunk:'] as const;

const listed =
  (owners: readonly string[]) =>
  (owner: string): boolean =>
    owners.includes(owner);

/** Whether the port is one by which a router is the gateway of a subnet. */
export const isRouterInterface = listed(ROUTER_INTERFACE_OWNERS);
/** Whether the port is one by which a router is on a subnet of a project. */
export const isRouterSubnetPort = listed(ROUTER_SUBNET_OWNERS);
/** Whether the port is a router's. */
export const isRouterPort = listed(ROUTER_OWNERS);
/** Whether one of Neutron's own services made the port. */
export const isNetworkDevice = (owner: string): boolean => NETWORK_PREFIXES.some((prefix) => owner.startsWith(prefix));
