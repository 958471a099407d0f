import { isIPv6 } from 'node:net';
import { canonicalCidr, planAddresses } from '../../linux/addresses.ts';
import type { IpCommand } from '../../linux/ip.ts';
import {
  defaultRouteCommand,
  deleteRouteCommand,
  isDefaultRoute,
  isOnLinkRoute,
  onLinkRouteCommand,
  type Route,
} from '../../linux/routes.ts';
import { canonicalIp, cidrContains, parseCidr, parseIp } from '../../net/addresses.ts';
import { dhcpNamespace, tapName } from '../../net/device-names.ts';
import type { NetworkInfo, PortDocument, SubnetDocument } from '../../rpc/documents.ts';
import type { InsideSetup, NamespaceState } from '../interface/device.ts';
import { hasIpv6Metadata, METADATA_IPV4, METADATA_IPV6 } from './answers/metadata.ts';

/** The device of the agent's port on a network, in the wanted state. */
export interface DeviceSpec {
  readonly networkId: string;
  readonly namespace: string;
  /** Name of both ends: one in the namespace, one on the host for the L2 agent to plug. */
  readonly device: string;
  readonly portId: string;
  readonly mac: string;
  readonly mtu: number;
  /** With prefix lengths. */
  readonly addresses: readonly string[];
  /** Acceptable default gateways, the preferred one first; at most one of each family is set. */
  readonly gateways: readonly Gateway[];
}

interface Gateway {
  readonly address: string;
  /** Outside its subnet: it needs an on-link route. */
  readonly outside: boolean;
}

/**
 * Returns the device that a network's DHCP port needs; `metadata`: also the addresses at which machines ask for metadata. Of the
 * network's ports, only those of DHCP agents are looked at. Fixed IPs of subnets that are no longer in the document are omitted.
 * `leadsOut`: whether the default routes of the namespace lead over it; default: true.
 */
export function deviceSpec(
  info: NetworkInfo,
  port: PortDocument,
  options: { readonly metadata: boolean; readonly leadsOut?: boolean },
): DeviceSpec {
  const subnets = new Map(info.subnets.map((subnet) => [subnet.id, subnet]));
  const own = port.fixed_ips.flatMap((fixed) => {
    const subnet = subnets.get(fixed.subnet_id);
    return subnet ? [`${fixed.ip_address}/${prefixLength(subnet.cidr)}`] : [];
  });
  const ipv6 = hasIpv6Metadata(info, port) ? [`${METADATA_IPV6}/128`] : [];
  const metadata = options.metadata ? [`${METADATA_IPV4}/32`, ...ipv6] : [];
  return {
    networkId: info.id,
    namespace: dhcpNamespace(info.id),
    device: tapName(port.id),
    portId: port.id,
    mac: port.mac_address.toLowerCase(),
    mtu: info.mtu,
    addresses: [...own, ...metadata].map(canonicalCidr),
    gateways: (options.leadsOut === false ? [] : info.subnets.filter(mayLeadOut)).map((subnet) => ({
      address: subnet.gateway_ip as string,
      outside: !isInside(subnet.cidr, subnet.gateway_ip as string),
    })),
  };
}

/** Whether the namespace can use a subnet's gateway: DHCP is enabled, there is a gateway, and the IPv6 prefix can be routed. */
function mayLeadOut(subnet: SubnetDocument): boolean {
  if (!subnet.enable_dhcp || !subnet.gateway_ip) return false;
  if (subnet.ip_version === 4) return true;
  const length = prefixLength(subnet.cidr);
  const selfMade = [subnet.ipv6_address_mode, subnet.ipv6_ra_mode].some(
    (mode) => mode === 'slaac' || mode === 'dhcpv6-stateless',
  );
  return length > 0 && length <= 126 && (length === 64 || !selfMade);
}

function prefixLength(cidr: string): number {
  return Number(cidr.slice(cidr.lastIndexOf('/') + 1));
}

function isInside(cidr: string, address: string): boolean {
  const ip = parseIp(address);
  // Link-local addresses are on link for every device (RFC 4291, section 2.5.6).
  return (
    ip !== undefined && [cidr, 'fe80::/10'].map(parseCidr).some((one) => one !== undefined && cidrContains(one, ip))
  );
}

/** Returns what must change inside the namespace: the device's addresses and the routes. No steps when all is right. */
export function planInside(spec: DeviceSpec, there: NamespaceState): InsideSetup {
  const addresses = planAddresses(spec.device, there.addresses, spec.addresses);
  // Routes may disappear with addresses, and are gone from a device that was down: then all are set again.
  const routes = planRoutes(spec, there.routes, { setAll: addresses.length > 0 || !there.up });
  const takesOver = addresses.some((step) => step.includes(`${METADATA_IPV6}/128`) && step.includes('add'));
  // The kernel does not announce an address that it adds without duplicate detection, but all of them with a MAC address that is set.
  const announce = takesOver ? [['link', 'set', 'dev', spec.device, 'address', spec.mac]] : [];
  return {
    steps: [...routes.remove, ...addresses, ...announce, ...routes.set],
    settings: {
      // The server decides which addresses the device has: router advertisements must not add any.
      'net/ipv6/conf/default/accept_ra': 0,
      [`net/ipv6/conf/${spec.device}/accept_ra`]: 0,
      // Machines that know the device of another agent, which had the address, learn of this one.
      [`net/ipv6/conf/${spec.device}/ndisc_notify`]: 1,
      // Deleting an address must not delete the later ones of its subnet.
      'net/ipv4/conf/all/promote_secondaries': 1,
    },
  };
}

/** Plans a default route of each family through the first acceptable gateway, unless the existing one is acceptable. */
function planRoutes(
  spec: DeviceSpec,
  actual: readonly Route[],
  options: { readonly setAll: boolean },
): { readonly remove: readonly IpCommand[]; readonly set: readonly IpCommand[] } {
  const leftOver = actual.filter(
    (route) =>
      isOnLinkRoute(route) &&
      route.device === spec.device &&
      !spec.gateways.some((gateway) => gateway.outside && isSameAddress(gateway.address, route.destination)),
  );
  const families = ([4, 6] as const).map((family) => {
    const right = spec.gateways.filter((gateway) => isIPv6(gateway.address) === (family === 6));
    // Those over the agent's other devices in the namespace are theirs.
    const now = actual.filter(
      (route) =>
        route.family === family &&
        isDefaultRoute(route) &&
        route.protocol !== 'ra' &&
        (route.device ?? spec.device) === spec.device,
    );
    const isRight = (gateway: Gateway) => now.some((route) => isSameAddress(gateway.address, route.gateway));
    const standing = right.find(isRight);
    const best = standing ?? right[0];
    return {
      remove: now.filter((route) => !standing || !isSameAddress(standing.address, route.gateway)),
      set: best && (options.setAll || best !== standing) ? setGateway(best, spec.device) : [],
    };
  });
  return {
    remove: [...leftOver, ...families.flatMap((family) => family.remove)].map(deleteRouteCommand),
    set: families.flatMap((family) => family.set),
  };
}

function setGateway(gateway: Gateway, device: string): readonly IpCommand[] {
  return [
    ...(gateway.outside ? [onLinkRouteCommand(gateway.address, device)] : []),
    defaultRouteCommand(gateway.address, device),
  ];
}

function isSameAddress(one: string, two: string | undefined): boolean {
  return two !== undefined && canonicalIp(one) !== undefined && canonicalIp(one) === canonicalIp(two);
}
