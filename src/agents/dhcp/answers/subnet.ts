import { addressBits, formatIp, parseIp } from '../../../net/addresses.ts';
import type { NetworkFacts, SubnetDocument } from '../../../rpc/documents.ts';
import { checkedId, checkedIpv4Cidr, checkedIpv6 } from './checks.ts';
import { Refused } from './refusals.ts';

/** How the hosts of a subnet come to their addresses. */
type Addressing =
  /** The server leases the address: DHCPv4, DHCPv6. */
  | 'dhcp'
  /** The host makes its address itself and asks DHCPv6 for the rest (RFC 3736). */
  | 'stateless'
  /** The host generates its address itself (RFC 4862). */
  | 'slaac';

/** How one subnet is served, apart from the options of its hosts. */
export interface ServedSubnet {
  readonly document: SubnetDocument;
  readonly id: string;
  readonly version: 4 | 6;
  /** Network address, bits of hosts masked away. */
  readonly network: string;
  readonly prefix: number;
  readonly enableDhcp: boolean;
  readonly addressing: Addressing;
  /** Whether DHCP answers hosts of this subnet. */
  readonly answered: boolean;
}

/** No DHCPv6 addresses are leased in a network larger than /64. */
const SHORTEST_IPV6_PREFIX = 64;

/** An IPv4 address as dotted text. */
function dotted(bits: number): string {
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

const maskBits = (prefix: number): number => (prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);

/** Returns the IPv4 netmask of a prefix length. */
export function netmask(prefix: number): string {
  return dotted(maskBits(prefix));
}

function networkAddress(address: string, prefix: number): string {
  const bits = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return dotted((bits & maskBits(prefix)) >>> 0);
}

/** Returns the network address of an IPv6 address in its canonical form (RFC 5952). */
function ipv6Network(address: string, prefix: number): string {
  const host = BigInt(addressBits(6) - prefix);
  return formatIp(6, ((parseIp(address)?.value ?? 0n) >> host) << host);
}

function addressingOf({ ip_version, ipv6_address_mode: mode }: SubnetDocument): Addressing {
  if (ip_version === 6 && mode === 'slaac') return 'slaac';
  if (ip_version === 6 && mode === 'dhcpv6-stateless') return 'stateless';
  return 'dhcp';
}

/** Throws Refused for a subnet whose id or CIDR is none. */
export function readSubnet(document: SubnetDocument): ServedSubnet {
  const { cidr, ip_version: version } = document;
  const [text = '', length = ''] = cidr.split('/');
  if (version === 4) checkedIpv4Cidr(cidr);
  const prefix = Number(length);
  if (!/^\d{1,3}$/.test(length) || prefix > addressBits(version)) {
    throw new Refused('CIDR', cidr, `a network with a prefix length of at most ${addressBits(version)}`);
  }
  const addressing = addressingOf(document);
  // Router advertisements by somebody else, and no word of DHCPv6: there is nothing to answer.
  const mute = addressing === 'slaac' || (!document.ipv6_address_mode && document.ipv6_ra_mode);
  return {
    document,
    id: checkedId(document.id),
    version,
    network: version === 4 ? networkAddress(text, prefix) : ipv6Network(checkedIpv6(text), prefix),
    prefix,
    enableDhcp: document.enable_dhcp,
    addressing,
    answered: document.enable_dhcp && (version === 4 || (!mute && prefix >= SHORTEST_IPV6_PREFIX)),
  };
}

/** Returns the subnets of a network, those of other segments (which servers before release Ussuri omit) after its own. */
export function allSubnets(info: NetworkFacts): readonly SubnetDocument[] {
  return [...info.subnets, ...(info.non_local_subnets ?? [])];
}
