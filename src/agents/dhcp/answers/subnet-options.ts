import type { Config } from '../../../config/options.ts';
import { canonicalIp } from '../../../net/addresses.ts';
import { DHCP_OWNER } from '../../../net/device-owners.ts';
import type { NetworkInfo } from '../../../rpc/documents.ts';
import { checkedIpv4, checkedIpv4Cidr } from './checks.ts';
import { METADATA_ROUTE } from './metadata.ts';
import type { Refusals } from './refusals.ts';
import type { ServedSubnet } from './subnet.ts';

interface Route {
  readonly destination: string;
  readonly nexthop: string;
}

/** The options that all hosts of a subnet get. */
export interface SubnetOptions {
  /** `itself`: the answering server; `none`: no DNS server is announced, not even itself. */
  readonly dnsServers: readonly string[] | 'itself' | 'none';
  /** DHCPv6: the domain to search. DHCPv4 hosts get the network's domain. */
  readonly domainSearch: string | undefined;
  /**
   * DHCPv4: classless static routes (RFC 3442), the default route among them, because who gets them must not heed the router
   * option; empty: none are sent. They are also sent as option 249, which Windows requests.
   */
  readonly routes: readonly Route[];
  /** DHCPv4: the router; undefined: none is announced. */
  readonly router: string | undefined;
}

/** What the options of a subnet depend on in the ports. */
export interface PortFacts {
  /** Addresses of the DHCP ports by subnet: they answer DNS where a subnet names no server. */
  readonly dhcpAddresses: ReadonlyMap<string, readonly string[]>;
  /** This agent's own address by subnet: it leads to the metadata service where no router does. */
  readonly ownAddresses: ReadonlyMap<string, string>;
  readonly routed: ReadonlySet<string>;
}

const ANY = '0.0.0.0/0';
const ON_LINK = '0.0.0.0';
/** Says "announce no DNS server" where addresses of DNS servers stand. */
const NO_SERVER = { 4: '0.0.0.0', 6: '::' } as const;
/** Bytes of a DHCP option at most (RFC 2132). */
const MAX_OPTION_BYTES = 255;

/** Addresses of the DHCP ports; `ownPortIds` names this agent's, and without it the last one's addresses count as its own. */
export function dhcpAddresses(info: NetworkInfo, ownPortIds?: readonly string[]): Omit<PortFacts, 'routed'> {
  const all = new Map<string, string[]>();
  const own = new Map<string, string>();
  // On other segments, there is nothing of this agent.
  const local = new Set(info.subnets.map(({ id }) => id));
  for (const port of info.ports) {
    if (port.device_owner !== DHCP_OWNER) continue;
    for (const { subnet_id, ip_address } of port.fixed_ips) {
      all.set(subnet_id, [...(all.get(subnet_id) ?? []), ip_address]);
      if (local.has(subnet_id) && (ownPortIds?.includes(port.id) ?? true)) own.set(subnet_id, ip_address);
    }
  }
  return { dhcpAddresses: all, ownAddresses: own };
}

/** Returns the options of a subnet's hosts; undefined where they get none. */
export function subnetOptions(
  subnet: ServedSubnet,
  subnets: readonly ServedSubnet[],
  options: Config['DEFAULT'],
  facts: PortFacts,
  refusals: Refusals,
): SubnetOptions | undefined {
  if (!subnet.enableDhcp || subnet.addressing === 'slaac') return undefined;
  const dnsServers = dnsServersOf(subnet, facts);
  if (subnet.version === 6) {
    return { dnsServers, domainSearch: options.dns_domain || undefined, routes: [], router: undefined };
  }
  const { gateway_ip, host_routes } = subnet.document;
  const router = gateway_ip || host_routes.find((route) => route.destination === ANY)?.nexthop;
  const routes = routesOf(subnet, router || undefined, subnets, options, facts, refusals);
  return { dnsServers, domainSearch: undefined, routes, router: router || undefined };
}

function dnsServersOf(subnet: ServedSubnet, facts: PortFacts): SubnetOptions['dnsServers'] {
  const named = subnet.document.dns_nameservers;
  if (named.length === 1 && canonicalIp(named[0] ?? '') === NO_SERVER[subnet.version]) return 'none';
  if (named.length > 0) return named;
  // A single DHCP port needs no word: the server announces itself.
  const servers = facts.dhcpAddresses.get(subnet.id) ?? [];
  return servers.length > 1 ? servers : 'itself';
}

/** RFC 3442: a byte for the length, the bytes of the destination that the length covers, and the gateway. */
const bytesOf = (routes: readonly Route[]): number =>
  routes.reduce((sum, { destination }) => sum + 5 + Math.ceil(Number(destination.split('/')[1]) / 8), 0);

function routesOf(
  subnet: ServedSubnet,
  gateway: string | undefined,
  subnets: readonly ServedSubnet[],
  options: Config['DEFAULT'],
  facts: PortFacts,
  refusals: Refusals,
): readonly Route[] {
  const { host_routes: hostRoutes, cidr, segment_id: segment = null } = subnet.document;
  const owner = `subnet ${subnet.id}`;
  const route = (to: string, via: string): readonly Route[] =>
    refusals.keep(owner, () => [{ destination: checkedIpv4Cidr(to), nexthop: checkedIpv4(via) }], []);

  const routes = hostRoutes.flatMap(({ destination, nexthop }) =>
    destination === ANY ? [] : route(destination, nexthop),
  );
  const isRouted = facts.routed.has(subnet.id);
  const overOwn = options.force_metadata || (!isRouted && options.enable_isolated_metadata);
  const metadata = overOwn ? facts.ownAddresses.get(subnet.id) : isRouted ? gateway : undefined;
  if (metadata) routes.push(...route(METADATA_ROUTE, metadata));

  const neighbours = subnets.filter(
    ({ version, document }) => version === 4 && document.cidr !== cidr && (document.segment_id ?? null) === segment,
  );
  const onLink = neighbours.flatMap(({ document }) => route(document.cidr, ON_LINK)).reverse();
  const fallback = gateway ? route(ANY, gateway) : [];
  let left = 0;
  // The routes over routers matter more than those to what is on the link and can be reached over a router too.
  while (onLink.length > 0 && bytesOf([...onLink, ...routes, ...fallback]) > MAX_OPTION_BYTES) {
    onLink.shift();
    left++;
  }
  if (left > 0)
    refusals.note(owner, `${left} routes to other subnets left out: an option holds ${MAX_OPTION_BYTES} bytes`);
  const all = [...onLink, ...routes];
  return all.length === 0 ? [] : [...all, ...fallback];
}
