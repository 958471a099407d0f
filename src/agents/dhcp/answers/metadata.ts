import type { Config } from '../../../config/options.ts';
import { parseCidr } from '../../../net/addresses.ts';
import { isRouterInterface } from '../../../net/device-owners.ts';
import type { NetworkInfo, SubnetDocument } from '../../../rpc/documents.ts';
import { allSubnets } from './subnet.ts';

/** Where machines ask for metadata; the IPv6 address is link-local. */
export const METADATA_IPV4 = '169.254.169.254';
export const METADATA_IPV6 = 'fe80::a9fe:a9fe';
export const METADATA_PORT = 80;

/** Address of the metadata service, as a route's destination. */
export const METADATA_ROUTE = `${METADATA_IPV4}/32`;

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
  if (options.enable_metadata_network && allSubnets(info).some(isMetadataSubnet)) return true;
  return subnets.some((subnet) => !routed.has(subnet.id));
}
