import type { Config } from '../../../config/options.ts';
import { parseCidr } from '../../../net/addresses.ts';
import { DHCP_OWNER, isRouterInterface } from '../../../net/device-owners.ts';
import { RESERVED_DHCP_PORT } from '../../../net/dhcp-device-id.ts';
import type { NetworkFacts, NetworkInfo, PortDocument, SubnetDocument } from '../../../rpc/documents.ts';
import { allSubnets } from './subnet.ts';

/** Where machines ask for metadata; the IPv6 address is link-local. */
export const METADATA_IPV4 = '169.254.169.254';
export const METADATA_IPV6 = 'fe80::a9fe:a9fe';
export const METADATA_PORT = 80;

/** Address of the metadata service, as a route's destination. */
export const METADATA_ROUTE = `${METADATA_IPV4}/32`;

/** Returns whether this is a metadata network (`enable_metadata_network`), which machines on others reach through a router. */
export const isMetadataNetwork = (info: NetworkFacts): boolean => allSubnets(info).some(isMetadataSubnet);

/**
 * Returns whether, of all DHCP agents on the link of this port, its agent has the IPv6 metadata address: machines ask for it by its
 * name alone, so that a second one would be a duplicate (RFC 4862, 5.4). All agents choose the port with the lowest id among those
 * in the same subnets. Which ports there are is the server's decision: when it takes a network from an agent that is dead, the port
 * of another one is the lowest.
 */
export function hasIpv6Metadata({ ports }: Pick<NetworkInfo, 'ports'>, own: PortDocument): boolean {
  const onLink = new Set(own.fixed_ips.map(({ subnet_id }) => subnet_id));
  return ports.every(
    (port) =>
      port.id >= own.id ||
      port.device_owner !== DHCP_OWNER ||
      port.device_id === RESERVED_DHCP_PORT ||
      !port.admin_state_up ||
      !port.fixed_ips.some(({ subnet_id }) => onLink.has(subnet_id)),
  );
}

/** Returns the ids of the subnets whose gateway is the address of a router's port. The others are isolated. */
export function routedSubnets(info: NetworkInfo): ReadonlySet<string> {
  const gateways = new Map(allSubnets(info).map((s) => [s.id, s.gateway_ip]));
  const routed = new Set<string>();
  for (const port of info.ports) {
    if (!isRouterInterface(port.device_owner)) continue;
    for (const { subnet_id, ip_address } of port.fixed_ips) {
      if (gateways.get(subnet_id) === ip_address) routed.add(subnet_id);
    }
  }
  return routed;
}

/** Whether a subnet belongs to a network that exists only to lead to the metadata service: its addresses are link-local. */
function isMetadataSubnet({ cidr }: SubnetDocument): boolean {
  const [subnet, linkLocal] = [parseCidr(cidr), parseCidr('169.254.0.0/16')];
  return (
    subnet?.version === 4 && linkLocal !== undefined && subnet.first >= linkLocal.first && subnet.last <= linkLocal.last
  );
}

/**
 * Whether the network's namespace is to answer for the metadata service. Only subnets with DHCP count: the others have no address
 * there.
 */
export function wantsMetadata(
  info: NetworkInfo,
  options: Config['DEFAULT'],
  routed: ReadonlySet<string> = routedSubnets(info),
): boolean {
  const subnets = allSubnets(info).filter((subnet) => subnet.enable_dhcp);
  if (subnets.length === 0) return false;
  if (options.force_metadata) return true;
  if (!options.enable_isolated_metadata) return false;
  if (options.enable_metadata_network && isMetadataNetwork(info)) return true;
  return subnets.some((subnet) => !routed.has(subnet.id));
}
