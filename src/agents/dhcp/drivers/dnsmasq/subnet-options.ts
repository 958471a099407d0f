import type { Config } from '../../../../config/options.ts';
import { DHCP_OWNER } from '../../../../net/device-owners.ts';
import type { NetworkInfo } from '../../../../rpc/documents.ts';
import { address, type Field, ipv4, ipv4Cidr, type Line, name } from './fields.ts';
import { METADATA_ROUTE, routedSubnets } from './metadata.ts';
import { optionLine } from './port-lines.ts';
import type { Refusals } from './refusals.ts';
import type { Subnet } from './subnets.ts';

type Route = readonly [destination: Field, gateway: Field];

const ANY = '0.0.0.0/0';
const ON_LINK = '0.0.0.0';
/** Says "announce no DNS server" where addresses of DNS servers stand. */
const NO_SERVER = { 4: '0.0.0.0', 6: '::' } as const;

/** What the lines of a subnet need to know of the ports. */
export interface PortFacts {
  /** Addresses of the DHCP ports by subnet: they answer DNS where a subnet names no server. */
  readonly dhcpAddresses: ReadonlyMap<string, readonly string[]>;
  /** This agent's own address by subnet: it leads to the metadata service where no router does. */
  readonly ownAddresses: ReadonlyMap<string, string>;
}

/** Addresses of the DHCP ports; `ownPortId` names this agent's, and without it the last one's addresses count as its own. */
export function portFacts(info: NetworkInfo, ownPortId?: string): PortFacts {
  const dhcpAddresses = new Map<string, string[]>();
  const ownAddresses = new Map<string, string>();
  for (const port of info.ports) {
    if (port.device_owner !== DHCP_OWNER) continue;
    for (const { subnet_id, ip_address } of port.fixed_ips) {
      dhcpAddresses.set(subnet_id, [...(dhcpAddresses.get(subnet_id) ?? []), ip_address]);
      if (ownPortId === undefined || ownPortId === port.id) ownAddresses.set(subnet_id, ip_address);
    }
  }
  return { dhcpAddresses, ownAddresses };
}

/** The options file's lines that hold for whole subnets. */
export function renderSubnetOptions(
  info: NetworkInfo,
  subnets: readonly Subnet[],
  options: Config['DEFAULT'],
  facts: PortFacts,
  refusals: Refusals,
): Line[] {
  const routed = routedSubnets(info);
  return subnets
    .filter((subnet) => subnet.enableDhcp && subnet.addressing !== 'slaac')
    .flatMap((subnet) => {
      const owner = `subnet ${subnet.id}`;
      const add = (option: string, make: () => readonly Field[]): readonly Line[] =>
        refusals.keep(owner, () => [optionLine(subnet.version, subnet.tag, option, make())], []);
      const lines = [...dnsLines(subnet, facts, add)];
      if (subnet.version === 6) {
        if (options.dns_domain !== '')
          lines.push(...add('domain-search', () => [name(options.dns_domain, 'dns_domain')]));
        return lines;
      }
      return [...lines, ...routeLines(subnet, subnets, options, facts, routed.has(subnet.id), refusals, add)];
    });
}

type Add = (option: string, make: () => readonly Field[]) => readonly Line[];

function dnsLines(subnet: Subnet, facts: PortFacts, add: Add): readonly Line[] {
  const named = subnet.document.dns_nameservers;
  if (named.length === 1 && named[0] === NO_SERVER[subnet.version]) return add('dns-server', () => []);
  if (named.length > 0) return add('dns-server', () => named.map(address));
  // A single DHCP port needs no word: dnsmasq announces itself.
  const servers = facts.dhcpAddresses.get(subnet.id) ?? [];
  return servers.length > 1 ? add('dns-server', () => servers.map(address)) : [];
}

/** Bytes of a DHCP option at most (RFC 2132); dnsmasq leaves out the whole of a longer one. */
const MAX_OPTION_BYTES = 255;

/** RFC 3442: a byte for the length, the bytes of the destination that the length covers, and the gateway. */
function routeBytes([destination]: Route): number {
  return 5 + Math.ceil(Number(destination.split('/')[1]) / 8);
}

const bytesOf = (routes: readonly Route[]): number => routes.reduce((sum, route) => sum + routeBytes(route), 0);

/** RFC 3442: who gets classless routes must not heed the router option, so the default route is among them. */
function routeLines(
  subnet: Subnet,
  subnets: readonly Subnet[],
  options: Config['DEFAULT'],
  facts: PortFacts,
  isRouted: boolean,
  refusals: Refusals,
  add: Add,
): readonly Line[] {
  const { host_routes: hostRoutes, gateway_ip, cidr, segment_id: segment = null } = subnet.document;
  const owner = `subnet ${subnet.id}`;
  const encode = (to: string, via: string) => refusals.keep(owner, () => [[ipv4Cidr(to), ipv4(via)] as Route], []);

  const gateway = gateway_ip ?? hostRoutes.find((route) => route.destination === ANY)?.nexthop;
  const routes = hostRoutes.flatMap((route) =>
    route.destination === ANY ? [] : encode(route.destination, route.nexthop),
  );
  const own = options.force_metadata || (!isRouted && options.enable_isolated_metadata);
  const metadata = own ? facts.ownAddresses.get(subnet.id) : isRouted ? gateway : undefined;
  if (metadata) routes.push(...encode(METADATA_ROUTE, metadata));

  const neighbours = subnets.filter(
    ({ version, document }) =>
      version === 4 && document.cidr !== cidr && (document.segment_id == null || document.segment_id === segment),
  );
  const onLink = neighbours.flatMap(({ document }) => encode(document.cidr, ON_LINK)).reverse();
  const fallback = gateway ? encode(ANY, gateway) : [];
  let left = 0;
  // The routes over routers matter more than those to what is on the link and can be reached over a router too.
  while (onLink.length > 0 && bytesOf([...onLink, ...routes, ...fallback]) > MAX_OPTION_BYTES) {
    onLink.shift();
    left++;
  }
  if (left > 0)
    refusals.note(owner, `${left} routes to other subnets left out: an option holds ${MAX_OPTION_BYTES} bytes`);

  const all = [...onLink, ...routes];
  const values = () => [...all, ...fallback].flat();
  return [
    // 249 is what Windows asks for instead of 121.
    ...(all.length === 0 ? [] : [...add('classless-static-route', values), ...add('249', values)]),
    ...add('router', () => (gateway ? [ipv4(gateway)] : [])),
  ];
}
