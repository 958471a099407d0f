import { addressBits, formatIp, parseCidr } from '../../../net/addresses.ts';
import { tapName } from '../../../net/device-names.ts';
import type { PortDocument, SubnetDocument } from '../../../rpc/documents.ts';
import type { MachineDocument, MachineNetwork } from '../../../rpc/topics/metadata.ts';

/** Types of links that network_data.json names; all others are `phy`, as in Nova. */
const LINK_TYPES: ReadonlySet<string> = new Set([
  'bridge',
  'dvs',
  'hw_veb',
  'hyperv',
  'ovs',
  'tap',
  'vhostuser',
  'vif',
]);

interface Service {
  readonly type: 'dns';
  readonly address: string;
}

interface Route {
  readonly network: string;
  readonly netmask: string;
  readonly gateway: string;
}

/** network_data.json: NICs, an IPv4 and an IPv6 configuration of each, and DNS servers. */
export interface NetworkData {
  readonly links: readonly Readonly<Record<string, string | number | null>>[];
  readonly networks: readonly (Readonly<Record<string, string | readonly Service[] | readonly Route[]>> & {
    readonly id: string;
    readonly type: string;
  })[];
  readonly services: readonly Service[];
}

/** Returns first address and mask of a CIDR. */
function networkAndMask(cidr: string): Pick<Route, 'network' | 'netmask'> {
  const parsed = parseCidr(cidr);
  if (!parsed) return { network: cidr, netmask: '' };
  const { version, first, prefixLength } = parsed;
  const bits = addressBits(version);
  const mask = ((1n << BigInt(bits)) - 1n) ^ ((1n << BigInt(bits - prefixLength)) - 1n);
  return { network: formatIp(version, first), netmask: formatIp(version, mask) };
}

const dnsOf = ({ dns_nameservers }: SubnetDocument): readonly Service[] =>
  dns_nameservers.map((address) => ({ type: 'dns', address }));

function routesOf({ ip_version, gateway_ip, host_routes }: SubnetDocument): readonly Route[] {
  const all = ip_version === 4 ? '0.0.0.0' : '::';
  return [
    ...(gateway_ip === null ? [] : [{ network: all, netmask: all, gateway: gateway_ip }]),
    ...host_routes.map(({ destination, nexthop }) => ({ ...networkAndMask(destination), gateway: nexthop })),
  ];
}

/** Returns how a NIC is configured in a subnet: by DHCP, or with this address (also of IPv6 subnets with an address mode). */
function configurationOf(subnet: SubnetDocument, address: string) {
  const { ip_version: version, ipv6_address_mode: mode } = subnet;
  if (mode === null && subnet.enable_dhcp) return { type: `ipv${version}_dhcp` };
  return {
    type: mode === null ? `ipv${version}` : `ipv${version}_${mode}`,
    ip_address: address,
    netmask: networkAndMask(subnet.cidr).netmask,
    routes: routesOf(subnet),
    services: dnsOf(subnet),
  };
}

interface Configured {
  readonly type: string;
  readonly [name: string]: string | readonly Service[] | readonly Route[];
}

/** A NIC whose subnets are not known, because the server is a stock one: DHCP is the rule. */
const byDhcp = (port: PortDocument): readonly Configured[] =>
  ([4, 6] as const).flatMap((version) => {
    const some = port.fixed_ips.some(({ ip_address }) => ip_address.includes(':') === (version === 6));
    return some ? [{ type: `ipv${version}_dhcp` }] : [];
  });

/** Returns the configurations of a NIC: in its first IPv4 subnet, and in its first IPv6 subnet, as in Nova. */
function configurationsOf(port: PortDocument, network: MachineNetwork): readonly Configured[] {
  const own = port.fixed_ips.flatMap(({ subnet_id, ip_address }) => {
    const subnet = network.subnets.find(({ id }) => id === subnet_id);
    return subnet ? [{ subnet, ip_address }] : [];
  });
  return ([4, 6] as const).flatMap((version) => {
    const found = own.find(({ subnet }) => subnet.ip_version === version);
    return found ? [configurationOf(found.subnet, found.ip_address)] : [];
  });
}

/** Returns network_data.json of a machine, as Nova makes it: ports without an address have no link. */
export function networkData({ ports, networks }: MachineDocument): NetworkData {
  const links: NetworkData['links'][number][] = [];
  const configurations: NetworkData['networks'][number][] = [];
  const services = new Map<string, Service>();
  for (const port of ports) {
    if (port.fixed_ips.length === 0) continue;
    const network = networks.find(({ id }) => id === port.network_id);
    const link = tapName(port.id);
    const used = network?.subnets.filter(({ id }) => port.fixed_ips.some(({ subnet_id }) => subnet_id === id)) ?? [];
    const type = port['binding:vif_type'] ?? 'phy';
    links.push({
      id: link,
      vif_id: port.id,
      type: LINK_TYPES.has(type) ? type : 'phy',
      // As in Nova: machines with DHCP get it from there.
      mtu: network === undefined || used.some(({ enable_dhcp }) => enable_dhcp) ? null : network.mtu,
      ethernet_mac_address: port.mac_address,
    });
    for (const one of network ? configurationsOf(port, network) : byDhcp(port)) {
      const { type: kind, ...more } = one;
      const id = `network${configurations.length}`;
      configurations.push({ id, type: kind, link, ...more, network_id: port.network_id });
    }
    for (const version of [4, 6]) {
      const subnet = used.find(({ ip_version }) => ip_version === version);
      for (const service of subnet ? dnsOf(subnet) : []) services.set(service.address, service);
    }
  }
  return { links, networks: configurations, services: [...services.values()] };
}
