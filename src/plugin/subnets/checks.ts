import type { Config } from '../../config/options.ts';
import { isNoHost } from '../../ipam/pools.ts';
import { type Cidr, type Ip, parseCidr, parseIp } from '../../net/addresses.ts';
import { neutronError } from '../../resources/errors.ts';
import type { HostRoute } from '../../resources/subnet-types.ts';
import { isAutoAddress } from '../ports/network-facts.ts';

const invalid = (reason: string) => neutronError('InvalidInput', { reason });

const versionOf = (address: string): 4 | 6 | undefined =>
  (address.includes('/') ? parseCidr(address) : parseIp(address))?.version;

function requireVersion(name: string, address: string, version: 4 | 6): void {
  if (versionOf(address) !== version) throw invalid(`${name} '${address}' does not match the ip_version '${version}'`);
}

/** Parses a subnet's prefix. Throws InvalidInput if it has the other IP version or covers the whole address space. */
export function checkCidr(text: string, version: 4 | 6): Cidr {
  requireVersion('cidr', text, version);
  const cidr = parseCidr(text);
  if (!cidr) throw invalid(`'${text}' is not a valid IP subnet`);
  return cidr;
}

const inV4 = (cidr: Cidr, firstByte: bigint, mask: bigint): boolean =>
  cidr.version === 4 && ((cidr.first >> 24n) & mask) === firstByte && ((cidr.last >> 24n) & mask) === firstByte;

/** Throws InvalidInput for subnets that DHCP cannot serve. */
export function checkDhcpPossible(cidr: Cidr): void {
  if (cidr.prefixLength > (cidr.version === 4 ? 30 : 126))
    throw invalid('Subnet has a prefix length that is incompatible with DHCP service enabled');
  // 224.0.0.0/4 (RFC 5771) and ff00::/8 (RFC 4291)
  const multicast = cidr.version === 4 ? inV4(cidr, 0xe0n, 0xf0n) : cidr.first >> 120n === 0xffn;
  if (multicast) throw invalid('Multicast IP subnet is not supported if enable_dhcp is True');
  if (inV4(cidr, 127n, 0xffn)) throw invalid('Loopback IP subnet is not supported if enable_dhcp is True');
  if (cidr.version === 4 && cidr.first === 0n)
    throw invalid("First IP '0.0.0.0' of network is not supported if enable_dhcp is True");
}

/** Throws InvalidInput for a prefix of length 0: it covers all addresses, and dnsmasq cannot serve it. */
export function rejectWholeAddressSpace(cidr: Cidr): void {
  if (cidr.prefixLength === 0) throw invalid('0 is not allowed as CIDR prefix length');
}

/** Parses the requested gateway. Throws InvalidInput if the subnet cannot have it. */
export function checkGateway(cidr: Cidr, text: string): Ip {
  requireVersion('gateway_ip', text, cidr.version);
  const gateway = parseIp(text);
  if (!gateway || isNoHost(cidr, gateway)) throw invalid('Gateway is not valid on subnet');
  return gateway;
}

/** Throws DNSNameServersExhausted, or InvalidInput for a server of the other IP version. `subnet`: its id, or `new subnet`. */
export function checkNameservers(config: Config, servers: readonly string[], version: 4 | 6, subnet: string): void {
  const limit = config.DEFAULT.max_dns_nameservers;
  if (servers.length > limit) throw neutronError('DNSNameServersExhausted', { subnet, limit });
  for (const server of servers) requireVersion('dns_nameserver', server, version);
}

/** Throws HostRoutesExhausted, or InvalidInput for a route of the other IP version. `subnet`: its id, or `new subnet`. */
export function checkHostRoutes(config: Config, routes: readonly HostRoute[], version: 4 | 6, subnet: string): void {
  const limit = config.DEFAULT.max_subnet_host_routes;
  if (routes.length > limit) throw neutronError('HostRoutesExhausted', { subnet, limit });
  for (const { destination, nexthop } of routes) {
    requireVersion('nexthop', nexthop, version);
    requireVersion('destination', destination, version);
  }
}

export interface Ipv6Modes {
  readonly raMode: string | null;
  readonly addressMode: string | null;
}

/** Throws InvalidInput for invalid combinations of IP version, IPv6 modes and DHCP. */
export function checkModes(cidr: Cidr, { raMode, addressMode }: Ipv6Modes, enableDhcp: boolean): void {
  if (raMode === null && addressMode === null) return;
  if (cidr.version === 4)
    throw invalid(`${raMode === null ? 'ipv6_address_mode' : 'ipv6_ra_mode'} is not valid when ip_version is 4`);
  if (!enableDhcp) throw invalid('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False');
  if (raMode !== null && addressMode !== null && raMode !== addressMode)
    throw invalid(
      `ipv6_ra_mode set to '${raMode}' with ipv6_address_mode set to '${addressMode}' is not valid. If both attributes are set, they must be the same value`,
    );
  // An interface identifier derived from a MAC has 64 bits (RFC 4862, 5.5.3).
  if (isAutoAddress(raMode, addressMode) && cidr.prefixLength !== 64)
    throw invalid('Invalid CIDR for IPv6 address mode: addresses made of MACs (EUI-64) require a prefix of /64');
}
